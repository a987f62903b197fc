import assert from 'node:assert/strict';
import test from 'node:test';
import * as classic from '@aws-sdk/client-elastic-load-balancing';
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2';
import fc from 'fast-check';
import { accept, refuse } from '#base/result.ts';
import { type FaultCode, fault, faults } from '#model/fault.ts';
import { apis } from './shapes.ts';
import { startTestApi, type TestApi } from './test-api.ts';
import { anyValue } from './test-values.ts';

type Commands = Record<string, new (input: unknown) => object>;
/** What both clients are, for commands that are found by name. */
type Client = { send(command: object): Promise<Record<string, unknown>> };

/** Sends the input with the SDK's own client and gives back what that makes of the answer. */
async function send(api: TestApi, version: string, action: string, input: unknown): Promise<Record<string, unknown>> {
  const [sdk, client] = version === '2015-12-01' ? [elbv2, api.v2] : [classic, api.classic];
  const command = new (sdk as unknown as Commands)[`${action}Command`]!(input);
  const { $metadata, ...output } = await (client as Client).send(command);
  assert.match(($metadata as { requestId: string }).requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return output;
}

for (const [version, { operations }] of apis) {
  test(`API ${version}: any input that the SDK sends arrives as it was, for every operation`, async (context) => {
    const api = await startTestApi(context);
    assert(operations.size >= 29);
    for (const { name, input: shape } of operations.values()) {
      await fc.assert(
        fc.asyncProperty(anyValue(shape), async (input) => {
          await send(api, version, name, input);
          const { requestId, ...call } = api.calls.pop()!;
          assert.deepEqual(call, {
            version,
            action: name,
            input,
            principal: '000000000001/admin',
            account: '000000000001',
          });
        }),
        { numRuns: 8 },
      );
    }
  });

  test(`API ${version}: any answer that we send is read by the SDK as it was, for every operation`, async (context) => {
    const api = await startTestApi(context);
    for (const { name, input, output: shape } of operations.values()) {
      const [required] = fc.sample(anyValue(input), 1);
      await fc.assert(
        fc.asyncProperty(anyValue(shape), async (output) => {
          api.execute = async () => accept(output);
          assert.deepEqual(await send(api, version, name, required), output);
        }),
        { numRuns: 8 },
      );
    }
  });
}

/** Code on the wire → the SDK's class for it, as its schemas say. */
function modeledErrors(sdk: object): Map<string, { readonly name: string; readonly status: number }> {
  const errors = new Map<string, { name: string; status: number }>();
  for (const exported of Object.values(sdk)) {
    if (!Array.isArray(exported) || exported[0] !== -3) continue;
    const [code, status] = (exported[3] as { awsQueryError?: [string, number] }).awsQueryError ?? [];
    if (code !== undefined) errors.set(code, { name: exported[2] as string, status: status! });
  }
  return errors;
}

test('API: every error arrives in the SDK as its exception, with its status, text and request id', async (context) => {
  const api = await startTestApi(context);
  for (const [sdk, client, command] of [
    [elbv2, api.v2, new elbv2.DescribeLoadBalancersCommand({})],
    [classic, api.classic, new classic.DescribeLoadBalancersCommand({})],
  ] as const) {
    const modeled = modeledErrors(sdk);
    assert(modeled.size > 10);
    for (const code of Object.keys(faults) as FaultCode[]) {
      const message = `<${code}> & "it" 'said' ]]> so: ünïcödé 🎈`;
      api.execute = async () => refuse(fault(code, message));
      const error: Error & Record<string, unknown> = await (client as Client).send(command).then(
        () => assert.fail('an error was expected'),
        (thrown) => thrown,
      );
      const { requestId } = api.calls.pop()!;
      const known = modeled.get(code);
      assert.equal(error.name, known?.name ?? code);
      if (known !== undefined) {
        assert(error instanceof (sdk as unknown as Record<string, typeof Error>)[known.name]!, code);
        // The one code whose status differs between the two APIs: the classic one says 409.
        if (code !== 'InvalidConfigurationRequest') assert.equal(faults[code], known.status, `status of ${code}`);
      }
      assert.equal(error.message, message);
      const metadata = error.$metadata as { requestId: string; httpStatusCode: number };
      assert.deepEqual([metadata.requestId, metadata.httpStatusCode], [requestId, faults[code]]);
    }
  }
});

test('API: characters that XML cannot hold go out as U+FFFD, and the rest of the answer arrives', async (context) => {
  const api = await startTestApi(context);
  api.execute = async () => accept({ NextMarker: 'a\u0000b\u000bc\ud800d\ufffee' });
  assert.deepEqual(await send(api, '2015-12-01', 'DescribeLoadBalancers', {}), {
    NextMarker: 'a\ufffdb\ufffdc\ufffdd\ufffde',
  });
});

test('API: markup in the keys and values of a map is text', async (context) => {
  const api = await startTestApi(context);
  const extra = { '<a>&': '</value>', '"b"': "'" };
  const action = { Type: 'authenticate-oidc', AuthenticateOidcConfig: { AuthenticationRequestExtraParams: extra } };
  const output = { Rules: [{ Actions: [action] }] };
  api.execute = async () => accept(output);
  assert.deepEqual(await send(api, '2015-12-01', 'DescribeRules', {}), output);
});

test('API: a name of both APIs goes to the one that Version names', async (context) => {
  const api = await startTestApi(context);
  await send(api, '2015-12-01', 'DescribeTags', { ResourceArns: ['arn'] });
  await send(api, '2012-06-01', 'DescribeTags', { LoadBalancerNames: ['name'] });
  assert.deepEqual(
    api.calls.map(({ version, action, input }) => ({ version, action, input })),
    [
      { version: '2015-12-01', action: 'DescribeTags', input: { ResourceArns: ['arn'] } },
      { version: '2012-06-01', action: 'DescribeTags', input: { LoadBalancerNames: ['name'] } },
    ],
  );
});
