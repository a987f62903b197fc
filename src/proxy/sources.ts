/** The ranges from which clients may connect. */
import { BlockList, isIPv6 } from 'node:net';

type Family = 'ipv4' | 'ipv6';

export class Sources {
  /**
   * Node's lists of ranges; what is done with an address that is on one, is its owner's business. There is one for each
   * family, since to a list of both, ::/0 holds every IPv4 address as well.
   */
  readonly #ranges: Readonly<Record<Family, BlockList>> = { ipv4: new BlockList(), ipv6: new BlockList() };

  /** Each as 10.0.0.0/16 or 2001:db8::/56. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', bits] = range.split('/');
      const family = familyOf(address);
      this.#ranges[family].addSubnet(address, Number(bits), family);
    }
  }

  letsIn(address: string): boolean {
    const family = familyOf(address);
    return address !== '' && this.#ranges[family].check(address, family);
  }
}

function familyOf(address: string): Family {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
