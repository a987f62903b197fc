/** The API over a real journal, with one principal and its key. */
import type { TestContext } from 'node:test';
import { createControl } from '#control/control.ts';
import { testSettings } from '#control/elbv2/test-region.ts';
import { JournalRegion } from '#control/time-travel/test-journal-region.ts';
import { noWorld, type World } from '#control/world.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { noAnomaly } from '#model/anomaly.ts';
import { put } from '#model/change.ts';
import type { MetricsReader } from '#model/metrics.ts';
import { startApiServer } from './server.ts';
import { accessKeyId, holder, holderDocument } from './test-api.ts';

/** Its first revision makes the principal. */
export async function startRegionApi(
  context: TestContext,
  world: World = noWorld,
  metrics?: MetricsReader,
): Promise<{ readonly region: JournalRegion; readonly url: string }> {
  const region = new JournalRegion(context);
  region.account = holder.account;
  await region.step((view) => [put(view, 'principal', holder.principal, holderDocument)]);
  const control = createControl({
    journal: region.journal,
    settings: testSettings,
    health: () => ({ kind: 'healthy' }),
    anomaly: () => noAnomaly,
    ...(metrics && { metrics }),
    clock: systemClock,
    random: systemRandom,
    sealer: { seal: (secret, id) => `${secret.length} characters for ${id}` },
    world,
    download: () => '',
  });
  const server = await startApiServer({
    host: '127.0.0.1',
    port: 0,
    findDownload: () => undefined,
    requestRatePercent: 0,
    region: testSettings.region,
    execute: control.execute,
    offers: control.offers,
    lookupKey: (id) => (id === accessKeyId ? holder : undefined),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  context.after(() => server.close());
  return { region, url: `http://127.0.0.1:${server.port}/` };
}
