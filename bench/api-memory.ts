/** Loaded into the control plane (`--import`) before everything else: tells what its heap holds when it is asked. */
process.on('message', (message: { readonly type: string }) => {
  if (message.type !== 'bench-heap') return;
  globalThis.gc?.();
  process.send?.({ type: 'bench-heap', heapBytes: process.memoryUsage().heapUsed });
});
