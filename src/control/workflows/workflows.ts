/**
 * The control plane's own work: it admits nodes, records what they serve, and removes targets that have
 * drained and addresses that have left. Each
 * step is a decision like any other: pure, judged by the guard, written to the journal with its cause.
 */
import { accept } from '#base/result.ts';
import { followNetwork } from '#control/ingress.ts';
import type { Network } from '#control/network.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import type { Random } from '#io/random.ts';
import { every, type Timer } from '#io/timers.ts';
import type { Journal } from '#journal/journal.ts';
import { parsePrefix } from '#model/address.ts';
import type { Cause, Change } from '#model/change.ts';
import { isEmpty, type View } from '#model/view.ts';
import { drained, removeDrained } from './draining.ts';
import { letGo } from './leaving.ts';
import { admitNode, placeUnplaced } from './placement.ts';
import { recordServing, type ServingReport } from './serving.ts';

const periodMs = 250;
/** What was reverted or brought back may say otherwise than the network, which counts. */
const followPeriodMs = 2_000;
/** How long it waits when what it would change was held, for somebody who lets it through. */
const heldPeriodMs = 60_000;

type By = Pick<Cause, 'principal' | 'channel'>;
const byItself: By = { principal: 'ballast', channel: 'workflow' };
const byOperator: By = { principal: 'operator', channel: 'restore' };

export interface WorkflowsOptions {
  readonly journal: Journal;
  readonly holdAddressesMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What of the guard's own documents has expired, as tombstones. */
  readonly expired: (view: View, nowMs: number) => readonly Change[];
  /** Another object whenever something is known otherwise. */
  readonly network: () => Network;
}

export class Workflows {
  readonly #options: WorkflowsOptions;
  readonly #timer: Timer;
  /** What the load balancers were last made to follow. */
  #followed: Network | undefined;
  #followAtMs = 0;

  constructor(options: WorkflowsOptions) {
    this.#options = options;
    this.#timer = every(periodMs, async () => {
      // Looked up first, so that idle seconds write nothing and wait for nobody.
      const { journal, clock, expired } = options;
      if (expired(journal.view, clock.wallMs()).length > 0) {
        await this.#run('RemoveExpired', (view) => expired(view, clock.wallMs()));
      }
      if (!isEmpty(journal.view.all('freeze'))) return;
      if (!isEmpty(drained(journal.view, clock.wallMs()))) {
        await this.#run('RemoveDrainedTargets', (view) => removeDrained(view, clock.wallMs()));
      }
      if (letGo(journal.view, clock.wallMs()).length > 0) {
        await this.#run('RemoveLeftAddresses', (view) => letGo(view, clock.wallMs()));
      }
      await this.#follow(options.network());
    });
  }

  /** Makes the node known, and places what waited for one. Gives the reason when the node may not join. */
  async admit(node: {
    readonly id: string;
    readonly zone: string;
    readonly prefix: string;
  }): Promise<string | undefined> {
    const refused = refuseAddresses(this.#options.journal.view, node);
    if (refused !== undefined) return refused;
    await this.#run('AdmitNode', (view) => admitNode(view, { nodeId: node.id, zone: node.zone, prefix: node.prefix }));
    // Each call places so many at most.
    while (
      (await this.#run('PlaceLoadBalancers', (view) =>
        placeUnplaced(view, { nowMs: this.#options.clock.wallMs(), holdAddressesMs: this.#options.holdAddressesMs }),
      )) > 0
    );
    return undefined;
  }

  async serving(nodeId: string, reports: readonly ServingReport[]): Promise<void> {
    await this.#run('RecordServing', (view) =>
      recordServing(view, { nodeId, reports, nowMs: this.#options.clock.wallMs() }),
    );
  }

  stop(): void {
    this.#timer.stop();
  }

  /**
   * Has every load balancer let in whom the network's security groups say. It is the operator who says so, and whose
   * limit counts: workflows may harm nobody.
   */
  async #follow(network: Network): Promise<void> {
    const { journal, clock } = this.#options;
    if (network !== this.#followed) this.#followAtMs = 0;
    if (clock.monotonicMs() < this.#followAtMs) return;
    this.#followed = network;
    while (followNetwork(journal.view, network).length > 0) {
      const count = await this.#run('FollowSecurityGroups', (view) => followNetwork(view, network), byOperator);
      if (count > 0) continue;
      this.#followAtMs = clock.monotonicMs() + heldPeriodMs;
      return;
    }
    this.#followAtMs = clock.monotonicMs() + followPeriodMs;
  }

  /** Gives back how many documents it changed. */
  async #run(action: string, decide: (view: View) => readonly Change[], by: By = byItself): Promise<number> {
    const { journal, random, log } = this.#options;
    const cause = { ...by, action, requestId: random.hex(32) };
    const result = await journal.transact(cause, (view) => accept({ changes: decide(view), output: undefined }));
    if (!result.ok) log.error(`workflow ${action}: ${result.fault.message}`);
    return result.ok ? (result.value.transaction?.changes.length ?? 0) : 0;
  }
}

/** A node needs addresses to give, and must not come back with others while load balancers hold old ones. */
function refuseAddresses(view: View, node: { readonly id: string; readonly prefix: string }): string | undefined {
  const { id, prefix } = node;
  if (parsePrefix(prefix) === undefined) return `'${prefix}' of ${id} is not an address prefix like 127.80.0.0/12`;
  const known = view.get('node', id);
  if (known === undefined || known.prefix === prefix || isEmpty(view.find('placementsOfNode', id))) return undefined;
  const was = `${id} has load balancers on addresses of ${known.prefix} and cannot move to ${prefix}`;
  return `${was}; start with the same --addresses and --nodes as before`;
}
