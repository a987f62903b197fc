/**
 * The operations of API version 2015-12-01 that this version of Ballast offers, by the name a request gives. What is
 * not in this table is not offered.
 */
import type { AnyOperation } from '#control/operation.ts';
import { addListenerCertificates } from './add-listener-certificates.ts';
import { addTags } from './add-tags.ts';
import { addTrustStoreRevocations } from './add-trust-store-revocations.ts';
import { createListener } from './create-listener.ts';
import { createLoadBalancer } from './create-load-balancer.ts';
import { createRule } from './create-rule.ts';
import { createTargetGroup } from './create-target-group.ts';
import { createTrustStore } from './create-trust-store.ts';
import { deleteListener } from './delete-listener.ts';
import { deleteLoadBalancer } from './delete-load-balancer.ts';
import { deleteRule } from './delete-rule.ts';
import { deleteSharedTrustStoreAssociation } from './delete-shared-trust-store-association.ts';
import { deleteTargetGroup } from './delete-target-group.ts';
import { deleteTrustStore } from './delete-trust-store.ts';
import { deregisterTargets } from './deregister-targets.ts';
import { describeAccountLimits } from './describe-account-limits.ts';
import { describeCapacityReservation } from './describe-capacity-reservation.ts';
import { describeListenerAttributes } from './describe-listener-attributes.ts';
import { describeListenerCertificates } from './describe-listener-certificates.ts';
import { describeListeners } from './describe-listeners.ts';
import { describeLoadBalancerAttributes } from './describe-load-balancer-attributes.ts';
import { describeLoadBalancers } from './describe-load-balancers.ts';
import { describeRules } from './describe-rules.ts';
import { describeSslPolicies } from './describe-ssl-policies.ts';
import { describeTags } from './describe-tags.ts';
import { describeTargetGroupAttributes } from './describe-target-group-attributes.ts';
import { describeTargetGroups } from './describe-target-groups.ts';
import { describeTargetHealth } from './describe-target-health.ts';
import { describeTrustStoreAssociations } from './describe-trust-store-associations.ts';
import { describeTrustStoreRevocations } from './describe-trust-store-revocations.ts';
import { describeTrustStores } from './describe-trust-stores.ts';
import { getResourcePolicy } from './get-resource-policy.ts';
import { getTrustStoreCaCertificatesBundle } from './get-trust-store-ca-certificates-bundle.ts';
import { getTrustStoreRevocationContent } from './get-trust-store-revocation-content.ts';
import { modifyCapacityReservation } from './modify-capacity-reservation.ts';
import { modifyIpPools } from './modify-ip-pools.ts';
import { modifyListener } from './modify-listener.ts';
import { modifyListenerAttributes } from './modify-listener-attributes.ts';
import { modifyLoadBalancerAttributes } from './modify-load-balancer-attributes.ts';
import { modifyRule } from './modify-rule.ts';
import { modifyTargetGroup } from './modify-target-group.ts';
import { modifyTargetGroupAttributes } from './modify-target-group-attributes.ts';
import { modifyTrustStore } from './modify-trust-store.ts';
import { registerTargets } from './register-targets.ts';
import { removeListenerCertificates } from './remove-listener-certificates.ts';
import { removeTags } from './remove-tags.ts';
import { removeTrustStoreRevocations } from './remove-trust-store-revocations.ts';
import { setIpAddressType } from './set-ip-address-type.ts';
import { setRulePriorities } from './set-rule-priorities.ts';
import { setSecurityGroups } from './set-security-groups.ts';
import { setSubnets } from './set-subnets.ts';

export const elbv2Operations: Readonly<Record<string, AnyOperation>> = {
  AddListenerCertificates: addListenerCertificates,
  AddTags: addTags,
  AddTrustStoreRevocations: addTrustStoreRevocations,
  CreateListener: createListener,
  CreateLoadBalancer: createLoadBalancer,
  CreateRule: createRule,
  CreateTargetGroup: createTargetGroup,
  CreateTrustStore: createTrustStore,
  DeleteListener: deleteListener,
  DeleteLoadBalancer: deleteLoadBalancer,
  DeleteRule: deleteRule,
  DeleteSharedTrustStoreAssociation: deleteSharedTrustStoreAssociation,
  DeleteTargetGroup: deleteTargetGroup,
  DeleteTrustStore: deleteTrustStore,
  DeregisterTargets: deregisterTargets,
  DescribeAccountLimits: describeAccountLimits,
  DescribeCapacityReservation: describeCapacityReservation,
  DescribeListenerAttributes: describeListenerAttributes,
  DescribeListenerCertificates: describeListenerCertificates,
  DescribeListeners: describeListeners,
  DescribeLoadBalancerAttributes: describeLoadBalancerAttributes,
  DescribeLoadBalancers: describeLoadBalancers,
  DescribeRules: describeRules,
  DescribeSSLPolicies: describeSslPolicies,
  DescribeTags: describeTags,
  DescribeTargetGroupAttributes: describeTargetGroupAttributes,
  DescribeTargetGroups: describeTargetGroups,
  DescribeTargetHealth: describeTargetHealth,
  DescribeTrustStoreAssociations: describeTrustStoreAssociations,
  DescribeTrustStoreRevocations: describeTrustStoreRevocations,
  DescribeTrustStores: describeTrustStores,
  GetResourcePolicy: getResourcePolicy,
  GetTrustStoreCaCertificatesBundle: getTrustStoreCaCertificatesBundle,
  GetTrustStoreRevocationContent: getTrustStoreRevocationContent,
  ModifyCapacityReservation: modifyCapacityReservation,
  ModifyIpPools: modifyIpPools,
  ModifyListener: modifyListener,
  ModifyListenerAttributes: modifyListenerAttributes,
  ModifyLoadBalancerAttributes: modifyLoadBalancerAttributes,
  ModifyRule: modifyRule,
  ModifyTargetGroup: modifyTargetGroup,
  ModifyTargetGroupAttributes: modifyTargetGroupAttributes,
  ModifyTrustStore: modifyTrustStore,
  RegisterTargets: registerTargets,
  RemoveListenerCertificates: removeListenerCertificates,
  RemoveTags: removeTags,
  RemoveTrustStoreRevocations: removeTrustStoreRevocations,
  SetIpAddressType: setIpAddressType,
  SetRulePriorities: setRulePriorities,
  SetSecurityGroups: setSecurityGroups,
  SetSubnets: setSubnets,
};
