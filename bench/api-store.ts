/**
 * Makes the store that the benchmark of the API begins with, as a process of its own. Usage: node api-store.ts PATH
 * LOAD-BALANCERS TARGETS-OF-EACH
 */
import { bundle, change, node, openBenchJournal } from './state.ts';

const changesPerTransaction = 10_000;

const [path = '', ...counts] = process.argv.slice(2);
const [loadBalancers, targetsOfEach] = counts.map(Number) as [number, number];
const journal = openBenchJournal(path);
await change(journal, (view) => [node(view)]);
const perTransaction = Math.ceil(changesPerTransaction / (targetsOfEach + 5));
for (let start = 0; start < loadBalancers; start += perTransaction) {
  const length = Math.min(perTransaction, loadBalancers - start);
  await change(journal, (view) =>
    Array.from({ length }, (_, index) => bundle(view, start + index, targetsOfEach)).flat(),
  );
}
// Waits until the index has all of it.
await journal.history();
await journal.close();
