import { DEMO_POLICIES, DEMO_ROLES } from './demo.policies.js';
import type { DemoActor, DemoKeys } from './demo.tour.js';

/** A request to the management API as an administrator; gives the answer's JSON, throws on any status but 2xx. */
export type ManagementRequest = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
) => Promise<unknown>;

interface Listed {
  readonly data: readonly { readonly id: string; readonly name: string }[];
}

const KEY_DAYS = 7;
/** A customer with a long history, and somebody who moves the stock. */
const CUSTOMER_ID = 1;
const EMPLOYEE_ID = 11;

/**
 * Makes the roles and policies of the sample database through the management API, as a script of any team would. What
 * an attempt that was broken off has left is replaced.
 */
export async function installDemoAccess(request: ManagementRequest): Promise<void> {
  const roles = (await request('GET', '/system/roles')) as Listed;
  for (const role of DEMO_ROLES) {
    if (!roles.data.some(({ name }) => name === role.name)) await request('POST', '/system/roles', role);
  }
  for (const role of new Set(DEMO_POLICIES.map((policy) => policy.role))) {
    const left = (await request('GET', `/system/policies?role=${role}&limit=1000`)) as Listed;
    for (const { id } of left.data) await request('DELETE', `/system/policies/${id}`);
  }
  for (const policy of DEMO_POLICIES) await request('POST', '/system/policies', policy);
}

/** When a key that is made now ends. */
export const demoKeyExpiry = (): string => new Date(Date.now() + KEY_DAYS * 86_400_000).toISOString();

/** New keys for those who the sample has roles for; they end by themselves, because every start makes some. */
export async function createDemoKeys(request: ManagementRequest, adminKey: string): Promise<DemoKeys> {
  const expiresAt = demoKeyExpiry();
  const create = async (actor: DemoActor, claims: object): Promise<string> => {
    const body = { name: `demo ${actor}`, roles: [actor], claims, expiresAt };
    return ((await request('POST', '/system/keys', body)) as { readonly key: string }).key;
  };
  const customer = (await request('GET', `/api/customers/${CUSTOMER_ID}?fields=email`)) as {
    readonly email: string;
  };
  return {
    admin: adminKey,
    customer: await create('customer', { customer_id: CUSTOMER_ID, email: customer.email }),
    staff: await create('staff', { employee_id: EMPLOYEE_ID }),
    analyst: await create('analyst', {}),
  };
}
