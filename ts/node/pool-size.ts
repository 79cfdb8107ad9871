// The threads of libuv's pool, on which files are synced that many streams have written (sync-pool.ts). There are four if nobody says otherwise,
// which would sync four files at a time. libuv reads the number from the environment when the pool is first used.

/** Twice as many sync no quicker, half as many a third slower. */
const POOL_THREADS = 32;

/** Gives the pool of this process its size, unless the environment does. */
export function sizePool(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= String(POOL_THREADS);
}
