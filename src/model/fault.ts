/**
 * What can be wrong with a caller's request: the closed table of AWS error codes with the HTTP status each is sent
 * with. Source: the API's model (shape trait `awsQueryError`) and its "Common errors" page.
 */

export const faults = {
  AccessDenied: 403,
  AvailabilityZoneNotSupported: 400,
  CapacityDecreaseRequestLimitExceeded: 400,
  CapacityUnitsLimitExceeded: 400,
  DuplicateListener: 400,
  DuplicateLoadBalancerName: 400,
  DuplicateTagKeys: 400,
  DuplicateTargetGroupName: 400,
  IncompatibleProtocols: 400,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidConfigurationRequest: 400,
  InvalidLoadBalancerAction: 400,
  InvalidParameterValue: 400,
  InvalidScheme: 400,
  InvalidSecurityGroup: 400,
  InvalidSubnet: 400,
  InvalidTarget: 400,
  ListenerNotFound: 400,
  LoadBalancerNotFound: 400,
  MalformedInput: 400,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  MissingParameter: 400,
  OperationNotPermitted: 400,
  PriorityInUse: 400,
  RequestExpired: 400,
  RequestEntityTooLarge: 413,
  ResourceInUse: 400,
  ResourceNotFound: 400,
  RuleNotFound: 400,
  SSLPolicyNotFound: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SubnetNotFound: 400,
  Throttling: 400,
  TargetGroupAssociationLimit: 400,
  TargetGroupNotFound: 400,
  TooManyActions: 400,
  TooManyListeners: 400,
  TooManyLoadBalancers: 400,
  TooManyRegistrationsForTargetId: 400,
  TooManyRules: 400,
  TooManyTags: 400,
  TooManyTargetGroups: 400,
  TooManyTargets: 400,
  TooManyUniqueTargetGroupsPerLoadBalancer: 400,
  UnsupportedProtocol: 400,
  ValidationError: 400,
} as const satisfies Record<string, number>;

export type FaultCode = keyof typeof faults;

/** A refusal: nothing was changed. The message says what was found and what is allowed. */
export interface Fault {
  readonly code: FaultCode;
  readonly message: string;
}

export function fault(code: FaultCode, message: string): Fault {
  return { code, message };
}
