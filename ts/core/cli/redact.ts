// The command line as it may be shown: in the process list, where every user of the machine reads it, and in /debug/vars.
// Kept true: the value of a flag that can hold a secret is never shown, in whichever form it was given.

const secretFlags: ReadonlySet<string> = new Set(['user', 'pass', 'auth', 'routes', 'cluster', 'cluster_listen']);
const hidden = '[REDACTED]';

export function redactedArguments(argv: readonly string[]): string[] {
  let hideNext = false;
  return argv.map((word) => {
    if (hideNext) {
      hideNext = false;
      return hidden;
    }
    const flag = /^--?([^=]+)(=?)/.exec(word);
    if (flag === null || !secretFlags.has(flag[1] ?? '')) return word;
    if (flag[2] === '=') return `${flag[0]}${hidden}`;
    hideNext = true;
    return word;
  });
}
