/** What is offered of the Security Token Service, API version 2011-06-15: whose key it was. */
import type { GetCallerIdentityResponse } from '@aws-sdk/client-sts';
import { hashNumber } from '#base/hash.ts';
import { accept } from '#base/result.ts';
import type { AnyOperation, Operation } from '#control/operation.ts';

const getCallerIdentity: Operation<object, GetCallerIdentityResponse> = {
  kind: 'read',
  answer(_view, _input, { account, principal }) {
    const name = principal.slice(account.length + 1);
    return accept({
      // In the form of AWS's: clients take it for an opaque name of the user.
      UserId: `AIDA${hashNumber(principal).toString(36).toUpperCase().padStart(17, '0')}`,
      Account: account,
      Arn: `arn:aws:iam::${account}:user/${name}`,
    });
  },
};

export const stsOperations: Readonly<Record<string, AnyOperation>> = { GetCallerIdentity: getCallerIdentity };
