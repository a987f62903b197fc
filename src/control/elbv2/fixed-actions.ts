/**
 * The actions that the load balancer answers itself: redirects and fixed responses. Everything here goes into a
 * response head or body one day, so it is held to characters that cannot end a header line.
 * Source: `RedirectActionConfig` and `FixedResponseActionConfig` in the ELB API reference.
 */
import type { FixedResponseActionConfig, RedirectActionConfig } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { RuleAction } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, checkPortText, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

type RedirectAction = Extract<RuleAction, { kind: 'redirect' }>;
type FixedResponseAction = Extract<RuleAction, { kind: 'fixed-response' }>;

/** Keeps every part of the URL; the caller must change one of the first four, or the redirect leads back to itself. */
const redirectDefaults = {
  protocol: '#{protocol}',
  host: '#{host}',
  port: '#{port}',
  path: '/#{path}',
  query: '#{query}',
} as const;

const textParts = {
  Host: { lengthMin: 1, lengthMax: 128, keywords: ['host'], pattern: /^[A-Za-z0-9._-]*$/ },
  Path: { lengthMin: 1, lengthMax: 128, keywords: ['host', 'port', 'path'], pattern: /^[!-~]*$/ },
  Query: {
    lengthMin: 0,
    lengthMax: 128,
    keywords: ['protocol', 'host', 'port', 'path', 'query'],
    pattern: /^[!-~]*$/,
  },
} as const;

const keywordPattern = /#\{([^}]*)\}/g;
const statusCodes = { HTTP_301: 301, HTTP_302: 302 } as const;
const contentTypes = ['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json'];
const fixedStatusPattern = /^[245]\d\d$/;
const fixedBodyLengthMax = 1024;

/** Reads a redirect; what is not given keeps that part of the request's URL. */
export function decodeRedirect(config: Decoded<RedirectActionConfig> | undefined): Result<RedirectAction, Fault> {
  if (config === undefined) {
    return refuse(fault('ValidationError', 'RedirectConfig must be specified for an action of type redirect'));
  }
  const wrong = checkRedirect(config);
  if (wrong !== undefined) return refuse(wrong);
  const parts = {
    protocol: config.Protocol ?? redirectDefaults.protocol,
    host: config.Host ?? redirectDefaults.host,
    port: config.Port ?? redirectDefaults.port,
    path: config.Path ?? redirectDefaults.path,
    query: config.Query ?? redirectDefaults.query,
  };
  const changed = (['protocol', 'host', 'port', 'path'] as const).some(
    (part) => parts[part] !== redirectDefaults[part],
  );
  if (!changed) {
    const message =
      'The redirect configuration is not valid because it creates a loop; change the protocol, host, port or path';
    return refuse(fault('InvalidLoadBalancerAction', message));
  }
  return accept({ kind: 'redirect', ...parts, statusCode: statusCodes[config.StatusCode as keyof typeof statusCodes] });
}

/** Reads a fixed response; content type and body are optional. */
export function decodeFixedResponse(
  config: Decoded<FixedResponseActionConfig> | undefined,
): Result<FixedResponseAction, Fault> {
  if (config === undefined) {
    return refuse(
      fault('ValidationError', 'FixedResponseConfig must be specified for an action of type fixed-response'),
    );
  }
  const { StatusCode: status, ContentType: contentType, MessageBody: body } = config;
  if (!fixedStatusPattern.test(status)) {
    const message = `Fixed response status code '${shown(status)}' must be 2XX, 4XX or 5XX`;
    return refuse(fault('ValidationError', message));
  }
  if (contentType !== undefined && !contentTypes.includes(contentType)) {
    const message = `Fixed response content type '${shown(contentType)}' must be one of '${contentTypes.join(', ')}'`;
    return refuse(fault('InvalidLoadBalancerAction', message));
  }
  if (body !== undefined && body.length > fixedBodyLengthMax) {
    const message = `Fixed response message body has ${body.length} characters; the limit is ${fixedBodyLengthMax}`;
    return refuse(fault('ValidationError', message));
  }
  return accept({
    kind: 'fixed-response',
    statusCode: Number(status),
    ...(contentType !== undefined && { contentType }),
    ...(body !== undefined && { body }),
  });
}

function checkRedirect(config: Decoded<RedirectActionConfig>): Fault | undefined {
  const { StatusCode, Protocol, Port, Path } = config;
  return (
    checkChoice('Redirect status code', StatusCode, Object.keys(statusCodes)) ??
    (Protocol === undefined
      ? undefined
      : checkChoice('Redirect protocol', Protocol, ['HTTP', 'HTTPS', redirectDefaults.protocol])) ??
    (Port === undefined || Port === redirectDefaults.port ? undefined : checkPortText('Redirect port', Port)) ??
    (Path === undefined || Path.startsWith('/')
      ? undefined
      : fault('InvalidLoadBalancerAction', `Redirect path '${shown(Path)}' must start with '/'`)) ??
    checkText('Host', config.Host) ??
    checkText('Path', config.Path) ??
    checkText('Query', config.Query)
  );
}

function checkText(member: keyof typeof textParts, text: string | undefined): Fault | undefined {
  if (text === undefined) return undefined;
  const { lengthMin, lengthMax, keywords, pattern } = textParts[member];
  if (text.length < lengthMin || text.length > lengthMax) {
    const allowed = `it must have between ${lengthMin} and ${lengthMax}`;
    return fault('ValidationError', `Redirect ${member} has ${text.length} characters; ${allowed}`);
  }
  for (const [placeholder, keyword] of text.matchAll(keywordPattern)) {
    if ((keywords as readonly string[]).includes(keyword!)) continue;
    const allowed = keywords.map((allowedKeyword) => `#{${allowedKeyword}}`).join(', ');
    return fault('InvalidLoadBalancerAction', `Redirect ${member} may hold '${allowed}', not '${placeholder}'`);
  }
  if (pattern.test(text.replace(keywordPattern, ''))) return undefined;
  return fault('InvalidLoadBalancerAction', `Redirect ${member} '${text}' has characters that are not allowed there`);
}
