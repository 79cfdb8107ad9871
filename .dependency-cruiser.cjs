// The arrows between the folders of ts/ (docs/architecture.md draws them); cycles are oxlint's import/no-cycle. Each folder names what it may import from; everything else under
// ts/ is an error. Packages and Node's own modules belong to the folders that make ports real.

/** Folder -> the folders it may import values and types from, besides itself. */
const mayImport = {
  lib: [],
  core: ['lib'],
  ports: ['core', 'lib'],
  kernel: ['lib', 'ports'],
  engine: ['core', 'ports', 'kernel', 'lib'],
  ops: ['core', 'engine', 'lib', 'ports'],
  node: ['core', 'kernel', 'lib', 'ports'],
  matcher: ['kernel', 'lib'],
  app: ['core', 'engine', 'kernel', 'lib', 'matcher', 'node', 'ops', 'ports'],
};

/** Folders where a module of Node or a package may be imported. */
const platformFolders = ['app', 'node'];

/** What other folders may take from outside ts/, with the reason. */
const platformExceptions = [
  // Plain computation without I/O.
  { from: '^ts/core/auth/', to: 'node_modules/(bcryptjs|@nats-io/nkeys|tweetnacl)/' },
  // The door to the Wasm: instantiation.
  { from: '^ts/kernel/', to: 'node_modules/@assemblyscript/loader/' },
  // A library of its own, which finds its own kernel.
  { from: '^ts/matcher/', to: '^(fs|url)$' },
];

const outside = { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] };

const exceptionRules = platformExceptions.map(({ from, to }, at) => ({
  name: `platform-exception-${at + 1}`,
  comment: 'A named exception reaches what it names and nothing else.',
  severity: 'error',
  from: { path: from },
  to: { ...outside, pathNot: to },
}));

const folders = Object.keys(mayImport);

const arrows = folders.map((folder) => ({
  name: `${folder}-imports`,
  comment: `ts/${folder} may import from: ${mayImport[folder].join(', ') || 'itself only'}`,
  severity: 'error',
  from: { path: `^ts/${folder}/` },
  to: { path: '^ts/', pathNot: `^ts/(${[folder, ...mayImport[folder]].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'platform-at-the-edge',
      comment: `Node and packages are reached through ports; only ${platformFolders.join(' and ')} import them.`,
      severity: 'error',
      from: {
        path: '^ts/',
        pathNot: `^ts/(${platformFolders.join('|')})/|${platformExceptions.map(({ from }) => from).join('|')}`,
      },
      to: outside,
    },
    ...exceptionRules,
    {
      name: 'engine-snapshots-only',
      comment: 'Operators see snapshots of the engine, never its parts.',
      severity: 'error',
      from: { path: '^ts/ops/' },
      to: { path: '^ts/engine/', pathNot: '^ts/engine/snapshot' },
    },
    {
      name: 'released-without-tests',
      comment: 'What ships does not know its tests or its tools.',
      severity: 'error',
      from: { path: '^ts/' },
      to: { path: '^(test|bench|scripts|wasm)/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.d\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
