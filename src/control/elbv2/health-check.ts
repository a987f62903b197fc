/**
 * Health check settings: what a target group starts with, what a caller may ask for, and how they must agree.
 * Source: CreateTargetGroup and ModifyTargetGroup in the ELB API reference; "Health check settings" in the guide.
 */
import type { ModifyTargetGroupInput, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { HealthCheckSettings } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, checkPortText, checkRange, notOffered, parseDecimal, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

/** The same members in CreateTargetGroup and in ModifyTargetGroup. */
export type HealthCheckInput = Omit<Decoded<ModifyTargetGroupInput>, 'TargetGroupArn'>;

const defaults: HealthCheckSettings = {
  enabled: true,
  protocol: 'HTTP',
  port: 'traffic-port',
  path: '/',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThresholdCount: 5,
  unhealthyThresholdCount: 2,
  matcher: '200',
};

const intervalRange = { min: 5, max: 300 };
const timeoutRange = { min: 2, max: 120 };
const thresholdRange = { min: 2, max: 10 };
/** A path goes into the request line as it is, so it holds nothing that could end it. */
const pathPattern = /^\/[!-~]*$/;
const pathLengthMax = 1024;
const matcherLengthMax = 255;
const statusCodeRange = { min: 200, max: 499 };

/** The settings of a new target group. If only interval or timeout is given, the other's default makes room for it. */
export function decodeHealthCheck(input: HealthCheckInput): Result<HealthCheckSettings, Fault> {
  const { HealthCheckIntervalSeconds: interval, HealthCheckTimeoutSeconds: timeout } = input;
  return changeHealthCheck(
    {
      ...defaults,
      intervalSeconds: Math.max(defaults.intervalSeconds, (timeout ?? 0) + 1),
      timeoutSeconds: Math.min(defaults.timeoutSeconds, (interval ?? defaults.intervalSeconds) - 1),
    },
    input,
  );
}

/** The settings after changing only what is given; what results must agree as a whole. */
export function changeHealthCheck(
  present: HealthCheckSettings,
  input: HealthCheckInput,
): Result<HealthCheckSettings, Fault> {
  const wrong = checkGiven(input);
  if (wrong !== undefined) return refuse(wrong);
  const settings: HealthCheckSettings = {
    enabled: true,
    protocol: 'HTTP',
    port: input.HealthCheckPort ?? present.port,
    path: input.HealthCheckPath ?? present.path,
    intervalSeconds: input.HealthCheckIntervalSeconds ?? present.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? present.timeoutSeconds,
    healthyThresholdCount: input.HealthyThresholdCount ?? present.healthyThresholdCount,
    unhealthyThresholdCount: input.UnhealthyThresholdCount ?? present.unhealthyThresholdCount,
    matcher: input.Matcher?.HttpCode ?? present.matcher,
  };
  if (settings.timeoutSeconds >= settings.intervalSeconds) {
    const { timeoutSeconds, intervalSeconds } = settings;
    const message = `Health check timeout '${timeoutSeconds}' must be smaller than the interval '${intervalSeconds}'`;
    return refuse(fault('ValidationError', message));
  }
  return accept(settings);
}

/** The settings as members of the API's target group. */
export function encodeHealthCheck(settings: HealthCheckSettings): TargetGroup {
  return {
    HealthCheckProtocol: settings.protocol,
    HealthCheckPort: settings.port,
    HealthCheckEnabled: settings.enabled,
    HealthCheckIntervalSeconds: settings.intervalSeconds,
    HealthCheckTimeoutSeconds: settings.timeoutSeconds,
    HealthyThresholdCount: settings.healthyThresholdCount,
    UnhealthyThresholdCount: settings.unhealthyThresholdCount,
    HealthCheckPath: settings.path,
    Matcher: { HttpCode: settings.matcher },
  };
}

function checkGiven(input: HealthCheckInput): Fault | undefined {
  const { HealthCheckProtocol: protocol = 'HTTP', HealthCheckPort: port, HealthCheckPath: path } = input;
  return (
    (input.HealthCheckEnabled === false
      ? fault(
          'InvalidConfigurationRequest',
          `Health check enabled must be true for target groups with target type 'ip'`,
        )
      : undefined) ??
    // TCP checks are for groups of TCP; the other protocols check nothing (CreateTargetGroup).
    checkChoice('Health check protocol', protocol, ['HTTP', 'HTTPS']) ??
    (protocol === 'HTTP' ? undefined : notOffered('Health check protocol', protocol, 'HTTP')) ??
    (port === undefined || port === 'traffic-port' ? undefined : checkPortText('Health check port', port)) ??
    (path === undefined ? undefined : checkPath(path)) ??
    checkGivenRange('Health check interval', input.HealthCheckIntervalSeconds, intervalRange) ??
    checkGivenRange('Health check timeout', input.HealthCheckTimeoutSeconds, timeoutRange) ??
    checkGivenRange('Healthy threshold count', input.HealthyThresholdCount, thresholdRange) ??
    checkGivenRange('Unhealthy threshold count', input.UnhealthyThresholdCount, thresholdRange) ??
    checkMatcher(input.Matcher)
  );
}

function checkGivenRange(
  member: string,
  value: number | undefined,
  range: { readonly min: number; readonly max: number },
): Fault | undefined {
  return value === undefined ? undefined : checkRange(member, value, range);
}

function checkPath(path: string): Fault | undefined {
  if (path.length <= pathLengthMax && pathPattern.test(path)) return undefined;
  const allowed = `must start with '/', hold visible ASCII characters, and have at most ${pathLengthMax}`;
  return fault('ValidationError', `Health check path '${shown(path)}' ${allowed}`);
}

function checkMatcher(matcher: HealthCheckInput['Matcher']): Fault | undefined {
  if (matcher === undefined) return undefined;
  if (matcher.GrpcCode !== undefined) return notOffered('Matcher', `GrpcCode ${matcher.GrpcCode}`, 'HttpCode');
  const { HttpCode: codes } = matcher;
  if (codes === undefined) return fault('ValidationError', 'Matcher: HttpCode must be specified');
  if (codes.length <= matcherLengthMax && codes.split(',').every(isCodeOrRange)) return undefined;
  return fault(
    'ValidationError',
    `Health check matcher HTTP code '${shown(codes)}' must be codes or ranges of them from 200 to 499, as '200,301-302'`,
  );
}

function isCodeOrRange(part: string): boolean {
  const bounds = part.split('-').map((bound) => parseDecimal(bound) ?? 0);
  const [first, last = first] = bounds as [number, number?];
  return bounds.length <= 2 && first >= statusCodeRange.min && last! >= first && last! <= statusCodeRange.max;
}
