// Which nats-server release this server is compatible with (clients gate features on it), and what it is itself.

/** The nats-server level that INFO, varz and `-v` announce. */
export const COMPATIBLE_VERSION = '2.14.5';
/** JetStream API level of that release. */
export const API_LEVEL = 4;
/** Shown where nats-server names its Go release. */
export const RUNTIME = `node${process.versions.node}`;
