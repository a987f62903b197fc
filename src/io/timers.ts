/** Timers as a port. A repeating task never overlaps itself, and a stopped one never fires again. */

export interface Timer {
  stop(): void;
}

/** Runs `task` once after `delayMs`. */
export function after(delayMs: number, task: () => void): Timer {
  const handle = setTimeout(task, delayMs);
  return { stop: () => clearTimeout(handle) };
}

/** Runs `task` every `periodMs`; a task that returns a promise is not started again before the promise settles. */
export function every(periodMs: number, task: () => void | Promise<void>): Timer {
  let busy = false;
  const handle = setInterval(() => {
    if (busy) return;
    const pending = task();
    if (pending === undefined) return;
    busy = true;
    pending.finally(() => {
      busy = false;
    });
  }, periodMs);
  return { stop: () => clearInterval(handle) };
}

/** Runs `task` when the current turn of the event loop has handled what had already arrived. */
export function soon(task: () => void): void {
  setImmediate(task);
}

export function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}
