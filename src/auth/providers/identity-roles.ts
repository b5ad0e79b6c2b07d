import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccessService } from '../../access/index.js';
import { PlinthConfig } from '../../common/config/index.js';
import { Observer } from '../../common/observability/index.js';
import type { ExternalIdentity } from './provider.js';
import type { UserIdentity } from './user-identity.entity.js';

/** Roles that the groups of a provider give: those of its map and no others, as long as the identity says so. */
@Injectable()
export class IdentityRoles {
  constructor(
    private readonly access: AccessService,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /** Gives and takes roles after what was said at a sign-in, as a part of its transaction. */
  async renew(
    { id, userId }: Pick<UserIdentity, 'id' | 'userId'>,
    { provider, groups }: ExternalIdentity,
    manager: EntityManager,
  ): Promise<void> {
    const wanted = new Set(this.rolesOf(provider, new Set(groups)));
    const rows = await manager.query<{ role: string }[]>(
      'SELECT role FROM plinth.user_roles WHERE identity_id = $1',
      [id],
    );
    // What is as it should be is left alone, so that sign-ins tell of no change where there is none.
    const gone = rows.map(({ role }) => role).filter((role) => !wanted.delete(role));
    if (gone.length > 0) {
      await manager.query('DELETE FROM plinth.user_roles WHERE identity_id = $1 AND role = ANY ($2)', [
        id,
        gone,
      ]);
    }
    if (wanted.size === 0) return;
    await manager.query(
      `INSERT INTO plinth.user_roles (user_id, role, identity_id)
       SELECT $1, r.name, $2 FROM plinth.roles r WHERE r.name = ANY ($3)`,
      [userId, id, [...wanted]],
    );
  }

  private rolesOf(provider: string, groups: ReadonlySet<string>): readonly string[] {
    const { roleMap = [] } = this.config.providers.find(({ name }) => name === provider) ?? {};
    const roles = roleMap.flatMap(({ group, role }) => (groups.has(group) ? [role] : []));
    return roles.filter((role) => {
      if (this.access.hasRole(role)) return true;
      this.observer.observe({ kind: 'auth.mapped-role-missing', provider, role });
      return false;
    });
  }
}
