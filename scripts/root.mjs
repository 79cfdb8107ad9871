// Where the repository is, for scripts that may be started from anywhere: its absolute path with a closing slash.

import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url));
