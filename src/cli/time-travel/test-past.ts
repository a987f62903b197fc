/** For tests: what an operator API says about the past of one small region. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { operatorKey } from '#cli/test-command.ts';
import type {
  BlameHeader,
  BlameLine,
  Conflict,
  DiffHeader,
  LogEntry,
  PlanResult,
  ResourceChange,
} from '#model/history.ts';
import type { Status } from '#model/status.ts';

export const webArn = 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/00000000000000a1';
const webListenerArn =
  'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/web/00000000000000a1/00000000000000b1';

export const deletion: LogEntry = {
  type: 'transaction',
  revision: 42,
  time: '2026-11-23T10:00:05.123Z',
  principal: '000000000000/admin',
  channel: 'api',
  action: 'DeleteLoadBalancer',
  requestId: 'b0b0b0b0-0000-4000-8000-000000000001',
  summary: 'load balancer 000000000000/web deleted, with 1 listener and 1 rule',
  harmed: 1,
  changes: 3,
};

export const creation: LogEntry = {
  type: 'transaction',
  revision: 7,
  time: '2026-11-23T09:00:00.000Z',
  principal: 'ballast',
  channel: 'workflow',
  action: 'PlaceLoadBalancer',
  requestId: 'b0b0b0b0-0000-4000-8000-000000000002',
  reason: 'web needs an address in us-east-1a',
  summary: 'web placed on node-1 at 127.80.0.7',
  harmed: 0,
  changes: 1,
};

export const removed: ResourceChange = {
  type: 'change',
  kind: 'load-balancer',
  id: '00000000000000a1',
  label: '000000000000/web',
  arn: webArn,
  did: 'removed',
  members: [{ member: 'name', before: 'web' }],
};

export const added: ResourceChange = {
  type: 'change',
  kind: 'target',
  id: '00000000000000c1/10.0.0.1:80',
  label: '10.0.0.1:80 in 000000000000/web-targets',
  did: 'added',
  members: [],
};

export const changed: ResourceChange = {
  type: 'change',
  kind: 'listener',
  id: '00000000000000b1',
  label: 'web :80',
  arn: webListenerArn,
  did: 'changed',
  members: [
    { member: 'port', before: 80, after: 8080 },
    { member: 'tags.team', after: 'video' },
    { member: 'attributes.routing.http.server', before: '80', after: 'a b' },
    {
      member: 'state',
      before: { kind: 'registered', sinceMs: Date.UTC(2026, 10, 23, 9) },
      after: { kind: 'draining' },
    },
  ],
};

export const diffHeader: DiffHeader = {
  type: 'diff',
  from: { revision: 7, time: creation.time },
  to: { revision: 42, time: deletion.time },
};

export const blameHeader: BlameHeader = {
  type: 'blame',
  kind: 'load-balancer',
  id: '00000000000000a1',
  label: '000000000000/web',
  arn: webArn,
  present: true,
};

export const blameLines: readonly BlameLine[] = [
  { type: 'member', member: 'name', value: 'web', setBy: creation },
  { type: 'member', member: 'attributes.idle_timeout.timeout_seconds', value: '30', setBy: deletion },
];

export const conflict: Conflict = {
  type: 'conflict',
  kind: 'listener',
  id: '00000000000000b1',
  label: 'web :80',
  arn: webListenerArn,
  why: 'changed-since',
  explanation: 'It was changed again in revision 44.',
  key: 'listener/00000000000000b1',
  members: ['port', 'tags.team'],
  base: { port: 80, tags: [] },
  theirs: { port: 8080, tags: [{ key: 'team', value: 'video' }] },
  ours: { port: 9090, tags: [{ key: 'team', value: 'audio' }] },
};

export const nameTaken: Conflict = {
  ...conflict,
  kind: 'load-balancer',
  id: '00000000000000a1',
  label: '000000000000/web',
  arn: webArn,
  why: 'name-taken',
  explanation: 'Another load balancer has the name web now.',
  key: 'load-balancer/00000000000000a1',
  members: [],
  theirs: null,
};

export const planResult: PlanResult = {
  type: 'plan',
  done: true,
  revision: 45,
  counts: {
    'load-balancer': { putBack: 1, takenOut: 0, changed: 0 },
    listener: { putBack: 2, takenOut: 0, changed: 1 },
    target: { putBack: 1_200, takenOut: 3, changed: 0 },
  },
  conflicts: 0,
  harmed: 0,
  notes: [],
};

export function statusOf(environment: string): Status {
  return {
    version: '0.1.0',
    environment,
    region: 'us-east-1',
    account: '000000000000',
    revision: 45,
    apiEndpoint: 'http://127.0.0.1:8400',
    operatorEndpoint: 'http://127.0.0.1:8401',
    dnsServer: '127.0.0.1:5380',
    uptimeSeconds: 1,
    processes: [],
    nodes: [],
    openIncidents: [],
    counts: { loadBalancers: 0, listeners: 0, targetGroups: 0, targets: 0 },
  };
}

/** What was asked of it, in order. */
export interface Question {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body: string;
}

/** An operator API that answers everything but the status with these lines, and remembers what it was asked. */
export function answerWithLines(
  lines: readonly unknown[],
  questions: Question[] = [],
  environment = 'staging',
): RequestListener {
  return (request, response) => {
    if (request.headers.authorization !== `Bearer ${operatorKey}`) return response.writeHead(401).end('{}');
    if (request.url === '/v1/status') return response.end(JSON.stringify(statusOf(environment)));
    return readBody(request).then((body) => {
      questions.push({ method: request.method!, url: request.url!, body });
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    });
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
