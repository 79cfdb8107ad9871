/**
 * How long a test waits for what must come before it says what did not. It measures nothing: it is longer than the most loaded machine takes,
 * so that a test fails for what the server does and not for what else runs beside it.
 */
export const patienceMs = 60_000;
