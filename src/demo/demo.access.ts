import type { ApiKeysService, PoliciesService, RolesService } from '../access/index.js';
import { DEMO_POLICIES, DEMO_ROLES, type DemoPolicy } from './demo.policies.js';
import type { CustomerRow } from './data/rows.js';
import type { DemoActor, DemoKeys } from './demo.tour.js';

/** They end by themselves, because every start makes some. */
const KEY_DAYS = 7;
/** Somebody who moves the stock. */
const EMPLOYEE_ID = 11;

/**
 * Makes the roles and policies of the sample database. What an attempt that was broken off has left is replaced.
 */
export async function installDemoAccess(roles: RolesService, policies: PoliciesService): Promise<void> {
  const { data: present } = await roles.list({ limit: 1000 });
  for (const role of DEMO_ROLES) {
    if (!present.some(({ name }) => name === role.name)) await roles.create(role);
  }
  for (const role of new Set(DEMO_POLICIES.map((policy) => policy.role))) {
    const { data: left } = await policies.list({ role, limit: 1000 });
    for (const { id } of left) await policies.delete(id);
  }
  for (const policy of DEMO_POLICIES) await policies.create(toRequest(policy));
}

const toRequest = ({ fields, presets, ...policy }: DemoPolicy): Parameters<PoliciesService['create']>[0] => ({
  ...policy,
  ...(fields === undefined ? {} : { fields: [...fields] }),
  ...(presets === undefined ? {} : { presets: { ...presets } }),
});

/** A key for each role of the sample: the customer's is that of `customer`, whose own rows it shows. */
export async function createDemoKeys(
  apiKeys: ApiKeysService,
  customer: Pick<CustomerRow, 'id' | 'email'>,
): Promise<DemoKeys> {
  const expiresAt = new Date(Date.now() + KEY_DAYS * 86_400_000).toISOString();
  const create = async (actor: DemoActor, claims: Record<string, unknown> = {}): Promise<string> =>
    (await apiKeys.create({ name: `demo ${actor}`, roles: [actor], claims, expiresAt })).key;
  return {
    admin: await create('admin'),
    customer: await create('customer', { customer_id: customer.id, email: customer.email }),
    staff: await create('staff', { employee_id: EMPLOYEE_ID }),
    analyst: await create('analyst'),
  };
}
