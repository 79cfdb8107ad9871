/** The server that a flow plays on: JetStream over a folder that outlives a restart. */
import { ServerProcess, type ServerKind } from './server.ts';
import { temporaryFolder } from './temporary.ts';

const args = (folder: string): readonly string[] => ['-js', '-sd', folder];

export function flowServer(kind: ServerKind): Promise<ServerProcess> {
  const folder = temporaryFolder();
  return ServerProcess.start(kind, { folder, args: args(folder) });
}

/** Stops the server and starts it again over its folder. */
export async function restarted(server: ServerProcess): Promise<ServerProcess> {
  const { kind, folder } = server;
  server.signal('SIGTERM');
  await server.exited;
  return ServerProcess.start(kind, { folder, args: args(folder) });
}
