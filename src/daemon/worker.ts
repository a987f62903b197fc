/** The entry of a worker process. */
import { runWorker } from '#node/worker.ts';

runWorker();
