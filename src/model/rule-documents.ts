/**
 * What a listener does with requests: rules with their conditions, actions and transforms. Part of the nouns of
 * `documents.ts`, through which they are imported.
 */
import type { HexId, Tag } from './documents.ts';

/** Id: its HexId. */
export interface RuleDocument {
  readonly listenerId: HexId;
  readonly priority: 'default' | number;
  /** All of them must hold. The default rule has none. */
  readonly conditions: readonly RuleCondition[];
  readonly actions: readonly RuleAction[];
  /** What targets get differently from what came; at most one of each kind. */
  readonly transforms: readonly RuleTransform[];
  /** Of the OIDC client in its actions; the rule's id is the place that was sealed with it. */
  readonly sealedClientSecret?: string;
  readonly tags: readonly Tag[];
}

/**
 * Holds when one of its values does. In values, `*` stands for any characters and `?` for one; `regexes` are found
 * anywhere in the text (see `linear-regex.ts`). A condition has values or regexes, never both.
 */
export type RuleCondition =
  | {
      readonly field: 'host-header' | 'path-pattern';
      readonly values: readonly string[];
      readonly regexes: readonly string[];
    }
  | {
      readonly field: 'http-header';
      readonly name: string;
      readonly values: readonly string[];
      readonly regexes: readonly string[];
    }
  | { readonly field: 'http-request-method'; readonly values: readonly string[] }
  | { readonly field: 'query-string'; readonly values: readonly QueryPair[] }
  /** In CIDR form. */
  | { readonly field: 'source-ip'; readonly values: readonly string[] };

/** Here, a backslash makes a `*`, a `?` or a backslash mean itself. */
export interface QueryPair {
  /** Undefined: of any parameter. */
  readonly key?: string;
  readonly value: string;
}

export interface RuleTransform {
  /** The path with its query, or the host, to which a port may belong. */
  readonly kind: 'url-rewrite' | 'host-header-rewrite';
  readonly regex: string;
  /** Takes the place of what the regex finds first; `$1` is what its first group found. */
  readonly replacement: string;
}

/**
 * Redirect parts may hold the placeholders `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`. `order` is
 * what the caller gave, so that an answer says the same; undefined is the action's place in the list, from 1.
 */
export type RuleAction =
  | {
      readonly kind: 'forward';
      readonly order?: number;
      readonly groups: readonly WeightedGroup[];
      readonly stickiness?: { readonly enabled: boolean; readonly durationSeconds?: number };
    }
  | {
      readonly kind: 'redirect';
      readonly order?: number;
      readonly protocol: string;
      readonly host: string;
      readonly port: string;
      readonly path: string;
      readonly query: string;
      readonly statusCode: 301 | 302;
    }
  | {
      readonly kind: 'fixed-response';
      readonly order?: number;
      readonly statusCode: number;
      readonly contentType?: string;
      readonly body?: string;
    }
  | AuthenticateAction;

/** What an HTTPS listener asks of a client before it routes. Members are those of the API, secrets apart. */
export type AuthenticateAction =
  | {
      readonly kind: 'authenticate-oidc';
      readonly order?: number;
      readonly issuer: string;
      readonly authorizationEndpoint: string;
      readonly tokenEndpoint: string;
      readonly userInfoEndpoint: string;
      readonly clientId: string;
      readonly session: AuthenticationSession;
    }
  | {
      readonly kind: 'authenticate-cognito';
      readonly order?: number;
      readonly userPoolArn: string;
      readonly userPoolClientId: string;
      readonly userPoolDomain: string;
      readonly session: AuthenticationSession;
    }
  | {
      readonly kind: 'jwt-validation';
      readonly order?: number;
      readonly jwksEndpoint: string;
      readonly issuer: string;
      readonly additionalClaims: readonly JwtClaim[];
    };

export interface AuthenticationSession {
  readonly cookieName: string;
  readonly scope: string;
  readonly timeoutSeconds: number;
  readonly extraParams: Readonly<Record<string, string>>;
  readonly onUnauthenticatedRequest: 'deny' | 'allow' | 'authenticate';
}

export interface JwtClaim {
  readonly name: string;
  readonly format: 'single-string' | 'string-array' | 'space-separated-values';
  readonly values: readonly string[];
}

export interface WeightedGroup {
  readonly targetGroupId: HexId;
  /** 0 to 999; a group of weight 0 gets nothing while another has more. */
  readonly weight: number;
}
