import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Incident } from '#model/incident.ts';
import { incidentReport } from './incident-report.ts';

const noticedAtMs = Date.UTC(2026, 11, 24, 12, 24, 1);
const incident: Incident = {
  id: 'inc-20261224-122401-1f2e',
  environment: 'production',
  region: 'us-east-1',
  storeId: 'store-of-ours',
  title: "the state store was changed behind the journal's back",
  openedBy: 'sentinel',
  state: 'mended',
  happenedAtMs: noticedAtMs - 310,
  noticedAtMs,
  mendedAtMs: noticedAtMs + 3_900,
  findings: [
    { check: 'rows', what: '3 of its transactions were gone', by: 'process 7, sqlite3', foundAtMs: noticedAtMs },
  ],
  affected: [
    {
      id: 'a1',
      account: '111111111111',
      name: 'web',
      arn: 'arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/a1',
      how: 'changes of its data were lost from the store',
      protectedAtMs: noticedAtMs,
      unprotectedAtMs: noticedAtMs + 3_900,
      requests: 812,
      failedRequests: 0,
    },
    {
      id: 'b2',
      account: '222222222222',
      name: 'video',
      arn: 'arn:aws:elasticloadbalancing:us-east-1:222222222222:loadbalancer/app/video/b2',
      how: 'changes of its data were lost from the store',
    },
  ],
  timeline: [
    { atMs: noticedAtMs - 1_000, source: 'journal', who: 'operator/pat', text: 'clean through maintenance' },
    { atMs: noticedAtMs, source: 'sentinel', who: 'sentinel', text: 'noticed' },
  ],
  open: [],
};

test('incident report: it names owners and load balancers, failures or none, who did what and when', () => {
  const text = incidentReport(incident, 'markdown');
  for (const part of [
    "# the state store was changed behind the journal's back",
    '**Noticed after:** 310 ms',
    '**Mended after:** 4.2 s',
    '### Owner 111111111111: 1 load balancer',
    '| web | changes of its data were lost from the store | for 3.9 s | 812 | none |',
    '| video | changes of its data were lost from the store | no | not known | not known |',
    '| 2026-12-24 12:24:00 | 690 ms before | journal | operator/pat | clean through maintenance |',
    'process 7, sqlite3',
    '## What is still open\n\nNothing.',
  ]) {
    assert(text.includes(part), `${part}\n\n${text}`);
  }
  const nobody = incidentReport({ ...incident, affected: [], findings: [] }, 'markdown');
  assert.match(nobody, /No load balancer was touched\./);
});

test('incident report: both forms say the same, and names are never more than text', () => {
  const hostile = '<script>alert(1)</script> | ](javascript:x) `*_\n# x ‮';
  const bad = { ...incident, title: hostile, affected: incident.affected.map((each) => ({ ...each, name: hostile })) };
  const html = incidentReport(bad, 'html');
  assert(!html.includes('<script>') && html.includes('&lt;script&gt;') && !html.includes('‮'));
  const markdown = incidentReport(bad, 'markdown');
  assert(markdown.includes('\\<script\\>') && !markdown.includes('](javascript'));
  // Every row of a table still has as many cells as its head.
  const cells = (line: string) => line.replaceAll('\\|', '').split('|').length;
  const table = markdown.split('\n').filter((line) => line.startsWith('| '));
  assert(
    table.every((line) => [6, 7, 8].includes(cells(line))),
    markdown,
  );
  const words = (text: string) => text.replace(/[^A-Za-z0-9]+/g, ' ');
  const plain = words(incidentReport(incident, 'markdown').replaceAll('\\', ''));
  const shown = words(
    incidentReport(incident, 'html')
      .replace(/<style>.*<\/style>|<title>.*?<\/title>/gs, ' ')
      .replace(/<[^>]*>/g, ' ')
      .replaceAll('&#39;', "'"),
  );
  for (const word of plain.split(' ')) assert(shown.includes(word), word);
});

test('incident report: the page of an owner says nothing of any other, nor what is ours', () => {
  const account = fc.constantFrom('111111111111', '222222222222', '333333333333');
  const affected = fc.array(
    fc.record({ account, requests: fc.option(fc.nat(), { nil: undefined }), failedRequests: fc.nat() }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(affected, (all) => {
      const many: Incident = {
        ...incident,
        affected: all.map((each, index) => ({
          account: each.account,
          ...(each.requests !== undefined && { requests: each.requests, failedRequests: each.failedRequests }),
          id: `id-${index}-`,
          name: `name-${index}-`,
          arn: `arn-${index}-`,
          how: 'lost',
        })),
      };
      const [mine] = many.affected;
      for (const form of ['markdown', 'html'] as const) {
        const page = incidentReport(many, form, mine!.account).replaceAll('\\', '');
        for (const each of many.affected) {
          const isMine = each.account === mine!.account;
          for (const part of [each.name, each.arn]) assert.equal(page.includes(part), isMine);
          if (!isMine) assert(!page.includes(each.account));
        }
        for (const ours of ['sqlite3', 'operator/pat', incident.storeId]) assert(!page.includes(ours), ours);
      }
    }),
  );
});
