/**
 * How the nodes of one machine share its addresses and zones. Slices do not move when a node is added: a prefix is cut
 * for eight nodes at least, as long as each slice keeps room for a few load balancers.
 */
import { formatPrefix, parsePrefix, slicePrefix } from '#model/address.ts';

const slicesMin = 8;
/** A slice keeps at least 2^5 addresses when the prefix allows it. */
const sliceBitsMax = 27;

export interface NodePlan {
  readonly id: string;
  readonly zone: string;
  readonly prefix: string;
}

/** Plans nodes `node-1`, `node-2` … in the zones in turn; refuses a prefix that is too small for them. */
export function nodePlans(settings: {
  readonly addresses: string;
  readonly nodes: number;
  readonly zones: readonly string[];
}): { readonly nodes: readonly NodePlan[] } | { readonly refused: string } {
  const { addresses, nodes, zones } = settings;
  const prefix = parsePrefix(addresses);
  if (prefix === undefined) return { refused: `--addresses: '${addresses}' is not a prefix like 127.80.0.0/12` };
  const wanted = Math.max(nodes, slicesMin);
  const roomy = prefix.bits + Math.ceil(Math.log2(wanted)) <= sliceBitsMax;
  const slices = slicePrefix(prefix, roomy ? wanted : nodes);
  if (slices === undefined)
    return { refused: `--addresses: ${addresses} is too small for ${nodes} nodes; each needs two addresses or more` };
  return {
    nodes: slices.slice(0, nodes).map((slice, index) => ({
      id: `node-${index + 1}`,
      zone: zones[index % zones.length]!,
      prefix: formatPrefix(slice),
    })),
  };
}
