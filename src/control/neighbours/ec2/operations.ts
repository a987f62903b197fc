/**
 * What is offered of EC2, API version 2016-11-15: the describe calls that clients of load balancers make, answered from
 * the inventory, or from the network that a region without one makes up.
 * Source: the EC2 API reference.
 */
import { hash } from 'node:crypto';
import type {
  AvailabilityZone,
  DescribeAccountAttributesResult,
  DescribeAvailabilityZonesResult,
  DescribeInstancesResult,
  DescribeInternetGatewaysResult,
  DescribeNetworkInterfacesResult,
  DescribeSecurityGroupsResult,
  DescribeSubnetsResult,
  DescribeVpcsResult,
  Instance,
  InternetGateway,
  NetworkInterface,
  SecurityGroup,
  Subnet,
  Vpc,
} from '@aws-sdk/client-ec2';
import { accept } from '#base/result.ts';
import type { Network } from '#control/network.ts';
import type { AnyOperation, Operation, OperationContext } from '#control/operation.ts';
import type { View } from '#model/view.ts';
import { type Described, type DescribeInput, find } from './found.ts';

type Read<Input, Output> = Operation<Input & DescribeInput, Output>;

const describeVpcs: Read<{ readonly VpcIds?: readonly string[] }, DescribeVpcsResult> = {
  kind: 'read',
  answer(_view, input, context) {
    const { network, account } = known(context);
    const all = [...network.vpcs.values()].map(({ id, cidrBlock }): Described<Vpc> => {
      const isDefault = id === context.settings.vpcId;
      const item = {
        VpcId: id,
        OwnerId: account,
        State: 'available' as const,
        CidrBlock: cidrBlock,
        CidrBlockAssociationSet: [{ CidrBlock: cidrBlock, CidrBlockState: { State: 'associated' as const } }],
        IsDefault: isDefault,
        InstanceTenancy: 'default' as const,
        Tags: [],
      };
      const filters = {
        'vpc-id': [id],
        cidr: [cidrBlock],
        'cidr-block-association.cidr-block': [cidrBlock],
        state: ['available'],
        'is-default': [`${isDefault}`],
        isDefault: [`${isDefault}`],
        'owner-id': [account],
      };
      return { id, item, filters };
    });
    const named = { ids: input.VpcIds, missing: 'InvalidVpcID.NotFound', what: 'vpc' } as const;
    const found = find(all, input, named);
    return found.ok ? accept({ Vpcs: [...found.value.items], NextToken: found.value.nextToken }) : found;
  },
};

const describeSubnets: Read<{ readonly SubnetIds?: readonly string[] }, DescribeSubnetsResult> = {
  kind: 'read',
  answer(_view, input, context) {
    const { network, account } = known(context);
    const defaults = new Set(context.settings.defaultSubnets.map(({ id }) => id));
    const all = [...network.subnets.values()].map((subnet): Described<Subnet> => {
      const { id, zone, vpcId, cidrBlock, ipv6CidrBlock } = subnet;
      const isDefault = defaults.has(id);
      const zoneId = zoneIdOf(context, zone);
      const item = {
        SubnetId: id,
        SubnetArn: `arn:aws:ec2:${context.settings.region}:${account}:subnet/${id}`,
        OwnerId: account,
        VpcId: vpcId,
        State: 'available' as const,
        AvailabilityZone: zone,
        AvailabilityZoneId: zoneId,
        CidrBlock: cidrBlock,
        Ipv6CidrBlockAssociationSet:
          ipv6CidrBlock === undefined
            ? []
            : [{ Ipv6CidrBlock: ipv6CidrBlock, Ipv6CidrBlockState: { State: 'associated' as const } }],
        AvailableIpAddressCount: 250,
        DefaultForAz: isDefault,
        MapPublicIpOnLaunch: isDefault,
        Tags: [],
      };
      const filters = {
        'subnet-id': [id],
        'vpc-id': [vpcId],
        'availability-zone': [zone],
        availabilityZone: [zone],
        'availability-zone-id': [zoneId],
        'cidr-block': [cidrBlock],
        state: ['available'],
        'default-for-az': [`${isDefault}`],
        defaultForAz: [`${isDefault}`],
        'map-public-ip-on-launch': [`${isDefault}`],
        'owner-id': [account],
      };
      return { id, item, filters };
    });
    const named = { ids: input.SubnetIds, missing: 'InvalidSubnetID.NotFound', what: 'subnet' } as const;
    const found = find(all, input, named);
    return found.ok ? accept({ Subnets: [...found.value.items], NextToken: found.value.nextToken }) : found;
  },
};

const describeSecurityGroups: Read<
  { readonly GroupIds?: readonly string[]; readonly GroupNames?: readonly string[] },
  DescribeSecurityGroupsResult
> = {
  kind: 'read',
  answer(_view, input, context) {
    const { network, account } = known(context);
    const all = [...network.securityGroups.values()].map((group): Described<SecurityGroup> => {
      const { id, name, description, vpcId, ingress = [] } = group;
      const item = {
        GroupId: id,
        GroupName: name,
        Description: description,
        OwnerId: account,
        VpcId: vpcId,
        SecurityGroupArn: `arn:aws:ec2:${context.settings.region}:${account}:security-group/${id}`,
        IpPermissions: ingress.map(({ protocol, fromPort, toPort, cidrs }) => ({
          IpProtocol: protocol === 'all' ? '-1' : protocol,
          ...(protocol !== 'all' && { FromPort: fromPort, ToPort: toPort }),
          IpRanges: cidrs.filter((cidr) => !cidr.includes(':')).map((CidrIp) => ({ CidrIp })),
          Ipv6Ranges: cidrs.filter((cidr) => cidr.includes(':')).map((CidrIpv6) => ({ CidrIpv6 })),
          UserIdGroupPairs: [],
          PrefixListIds: [],
        })),
        IpPermissionsEgress: [],
        Tags: [],
      };
      const filters = {
        'group-id': [id],
        'group-name': [name],
        'vpc-id': [vpcId],
        description: [description],
        'owner-id': [account],
      };
      return { id, item, filters };
    });
    const { GroupNames: names = [] } = input;
    const byName = names.length === 0 ? [] : [{ Name: 'group-name', Values: names }];
    const named = { ids: input.GroupIds, missing: 'InvalidGroup.NotFound', what: 'security group' } as const;
    const found = find(all, { ...input, Filters: [...(input.Filters ?? []), ...byName] }, named);
    return found.ok ? accept({ SecurityGroups: [...found.value.items], NextToken: found.value.nextToken }) : found;
  },
};

const describeInstances: Read<{ readonly InstanceIds?: readonly string[] }, DescribeInstancesResult> = {
  kind: 'read',
  answer(_view, input, context) {
    const { network, account } = known(context);
    const all = [...network.instances.values()].map((instance): Described<Instance> => {
      const { id, privateAddress, subnetId, vpcId, zone, state, tags } = instance;
      const item = {
        InstanceId: id,
        InstanceType: 'm5.large' as const,
        State: { Name: state, Code: stateCodes[state] },
        PrivateIpAddress: privateAddress,
        PrivateDnsName: `ip-${privateAddress.replaceAll('.', '-')}.ec2.internal`,
        SubnetId: subnetId,
        VpcId: vpcId,
        Placement: { AvailabilityZone: zone },
        NetworkInterfaces: [],
        SecurityGroups: [],
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      };
      const filters = {
        'instance-id': [id],
        'instance-state-name': [state],
        'private-ip-address': [privateAddress],
        'private-dns-name': [item.PrivateDnsName],
        'subnet-id': [subnetId],
        'vpc-id': [vpcId],
        'availability-zone': [zone],
      };
      return { id, item, filters, tags };
    });
    const named = { ids: input.InstanceIds, missing: 'InvalidInstanceID.NotFound', what: 'instance' } as const;
    const found = find(all, input, named);
    if (!found.ok) return found;
    const Reservations = found.value.items.map((instance) => ({
      ReservationId: `r-${instance.InstanceId!.slice(2)}`,
      OwnerId: account,
      Groups: [],
      Instances: [instance],
    }));
    return accept({ Reservations, NextToken: found.value.nextToken });
  },
};

const stateCodes = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 } as const;

/** Each address of a load balancer is an interface, described as AWS does: `ELB app/NAME/ID`. */
const describeNetworkInterfaces: Read<
  { readonly NetworkInterfaceIds?: readonly string[] },
  DescribeNetworkInterfacesResult
> = {
  kind: 'read',
  answer(view, input, context) {
    const all = interfacesOf(view, context);
    const named = {
      ids: input.NetworkInterfaceIds,
      missing: 'InvalidNetworkInterfaceID.NotFound',
      what: 'networkInterface',
    } as const;
    const found = find(all, input, named);
    return found.ok ? accept({ NetworkInterfaces: [...found.value.items], NextToken: found.value.nextToken }) : found;
  },
};

function interfacesOf(view: View, context: OperationContext): Described<NetworkInterface>[] {
  const { account } = context;
  return [...view.find('loadBalancersOfAccount', account)].flatMap(({ id, document }) => {
    const { type, name, vpcId, zones, securityGroups } = document;
    const description = `ELB ${type === 'network' ? 'net' : 'app'}/${name}/${id}`;
    return [...view.find('placementsOfLoadBalancer', id)].map(({ document: placement }) => {
      const { address, zone, nodeId } = placement;
      const interfaceId = `eni-${hash('sha256', `${id}/${nodeId}`, 'hex').slice(0, 17)}`;
      const subnetId = zones.find((each) => each.zone === zone)?.subnetId ?? zones[0]?.subnetId;
      const item: NetworkInterface = {
        NetworkInterfaceId: interfaceId,
        Description: description,
        InterfaceType: type === 'network' ? 'network_load_balancer' : 'interface',
        OwnerId: account,
        RequesterId: 'amazon-elb',
        RequesterManaged: true,
        Status: 'in-use',
        AvailabilityZone: zone,
        SubnetId: subnetId,
        VpcId: vpcId,
        PrivateIpAddress: address,
        PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: address }],
        Groups: securityGroups.map((GroupId) => ({ GroupId })),
        TagSet: [],
      };
      const filters = {
        'network-interface-id': [interfaceId],
        description: [description],
        'interface-type': [item.InterfaceType],
        'requester-id': ['amazon-elb'],
        'requester-managed': ['true'],
        status: ['in-use'],
        'availability-zone': [zone],
        'subnet-id': [subnetId],
        'vpc-id': [vpcId],
        'group-id': securityGroups,
        'addresses.private-ip-address': [address],
        'private-ip-address': [address],
        'attachment.instance-owner-id': ['amazon-elb'],
      };
      return { id: interfaceId, item, filters };
    });
  });
}

/** Every VPC has one, as if all of it could be reached. */
const describeInternetGateways: Read<
  { readonly InternetGatewayIds?: readonly string[] },
  DescribeInternetGatewaysResult
> = {
  kind: 'read',
  answer(_view, input, context) {
    const { network, account } = known(context);
    const all = [...network.vpcs.keys()].map((vpcId): Described<InternetGateway> => {
      const id = `igw-${vpcId.slice('vpc-'.length)}`;
      const item = {
        InternetGatewayId: id,
        OwnerId: account,
        Attachments: [{ VpcId: vpcId, State: 'available' as never }],
        Tags: [],
      };
      const filters = {
        'internet-gateway-id': [id],
        'attachment.vpc-id': [vpcId],
        'attachment.state': ['available'],
        'owner-id': [account],
      };
      return { id, item, filters };
    });
    const named = {
      ids: input.InternetGatewayIds,
      missing: 'InvalidInternetGatewayID.NotFound',
      what: 'internetGateway',
    } as const;
    const found = find(all, input, named);
    return found.ok ? accept({ InternetGateways: [...found.value.items], NextToken: found.value.nextToken }) : found;
  },
};

const describeAvailabilityZones: Read<
  { readonly ZoneNames?: readonly string[]; readonly ZoneIds?: readonly string[] },
  DescribeAvailabilityZonesResult
> = {
  kind: 'read',
  answer(_view, input, context) {
    const { region, zones } = context.settings;
    const all = zones.map((zone): Described<AvailabilityZone> => {
      const zoneId = zoneIdOf(context, zone);
      const item = {
        ZoneName: zone,
        ZoneId: zoneId,
        RegionName: region,
        State: 'available' as const,
        ZoneType: 'availability-zone',
        OptInStatus: 'opt-in-not-required' as const,
        GroupName: region,
        NetworkBorderGroup: region,
        Messages: [],
      };
      const filters = {
        'zone-name': [zone],
        'zone-id': [zoneId],
        'region-name': [region],
        state: ['available'],
        'zone-type': ['availability-zone'],
        'opt-in-status': ['opt-in-not-required'],
        'group-name': [region],
      };
      return { id: zone, item, filters };
    });
    const { ZoneIds: ids = [] } = input;
    const byId = ids.length === 0 ? [] : [{ Name: 'zone-id', Values: ids }];
    const named = { ids: input.ZoneNames, missing: 'InvalidParameterValue', what: 'availability zone' } as const;
    const found = find(all, { ...input, Filters: [...(input.Filters ?? []), ...byId] }, named);
    return found.ok ? accept({ AvailabilityZones: [...found.value.items] }) : found;
  },
};

const describeAccountAttributes: Operation<
  { readonly AttributeNames?: readonly string[] },
  DescribeAccountAttributesResult
> = {
  kind: 'read',
  answer(_view, { AttributeNames: names = [] }, { settings }) {
    const all = { 'supported-platforms': 'VPC', 'default-vpc': settings.vpcId };
    const AccountAttributes = Object.entries(all)
      .filter(([name]) => names.length === 0 || names.includes(name))
      .map(([AttributeName, AttributeValue]) => ({ AttributeName, AttributeValues: [{ AttributeValue }] }));
    return accept({ AccountAttributes });
  },
};

export const ec2Operations: Readonly<Record<string, AnyOperation>> = {
  DescribeAccountAttributes: describeAccountAttributes,
  DescribeAvailabilityZones: describeAvailabilityZones,
  DescribeInstances: describeInstances,
  DescribeInternetGateways: describeInternetGateways,
  DescribeNetworkInterfaces: describeNetworkInterfaces,
  DescribeSecurityGroups: describeSecurityGroups,
  DescribeSubnets: describeSubnets,
  DescribeVpcs: describeVpcs,
};

const madeUpCidr = '10.0.0.0/16';

/** The inventory's network, or the made-up one of a region without subnets of its own. */
function known({ network, settings, account }: OperationContext): {
  readonly network: Network;
  readonly account: string;
} {
  if (network.subnets.size > 0) return { network, account };
  const { vpcId, defaultSubnets } = settings;
  const subnets = defaultSubnets.map(({ id, zone }, index) => {
    return [id, { id, zone, vpcId, cidrBlock: `10.0.${index}.0/24` }] as const;
  });
  const vpcs = new Map([...network.vpcs, [vpcId, { id: vpcId, cidrBlock: madeUpCidr }]]);
  return { network: { ...network, vpcs, subnets: new Map(subnets) }, account };
}

/** `use1-az1`: the ids that are the same for every account. */
function zoneIdOf({ settings }: OperationContext, zone: string): string {
  const short = settings.region.replace(/[^a-z0-9]/g, '');
  return `${short}-az${settings.zones.indexOf(zone) + 1}`;
}
