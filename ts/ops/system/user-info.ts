// `$SYS.REQ.USER.INFO`: what a client is told about itself.

import type { Permissions } from '../../core/auth/permissions.ts';
import type { SystemRequest } from '../../ports/system.ts';
import { unlessEmpty, type Document } from '../monitor/context.ts';

export function userInfo({ account, client }: SystemRequest): Document {
  const permissions = client?.permissions;
  return {
    user: client?.user ?? '',
    account,
    account_name: account,
    permissions: permissions === undefined ? undefined : permissionsDocument(permissions),
  };
}

function permissionsDocument({
  publishAllow,
  publishDeny,
  subscribeAllow,
  subscribeDeny,
  responses,
}: Permissions): Document | undefined {
  const subject = ({ subject: own, queue }: { subject: string; queue: string | undefined }): string =>
    queue === undefined ? own : `${own} ${queue}`;
  const lists = (allow: readonly string[] | undefined, deny: readonly string[]): Document | undefined =>
    unlessEmpty({ ...(allow?.length ? { allow } : {}), ...(deny.length > 0 ? { deny } : {}) });
  return unlessEmpty({
    publish: lists(publishAllow, publishDeny),
    subscribe: lists(subscribeAllow?.map(subject), subscribeDeny.map(subject)),
    responses: responses && { max: responses.maxMsgs, ttl: Math.round(responses.expiresMs * 1e6) },
  });
}
