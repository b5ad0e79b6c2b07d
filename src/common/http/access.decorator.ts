import { applyDecorators, SetMetadata } from '@nestjs/common';

/** For actors that have one of these roles, and for administrators. */
export interface RolesDecision {
  readonly roles: readonly string[];
}

/**
 * Who may call a route: `public` everyone (also without credentials; what they may do is decided further in, by
 * policies), `authenticated` any actor with a credential, `admin` actors with the role `admin`, or actors with certain
 * roles.
 */
export type AccessDecision = 'public' | 'authenticated' | 'admin' | RolesDecision;

export const ACCESS_DECISION = 'plinth:access-decision';
export const ACCESS_OPTIONS = 'plinth:access-options';
export const RECENT_AUTH = 'plinth:recent-auth';

export interface AccessOptions {
  /** A bearer token that opens the route too, whoever sends it; null for none. */
  readonly token?: string | null;
  /**
   * `ignored`: the route does not look at credentials, so that one that has ended does not keep anybody from getting a new
   * one. Default: one that does not hold is refused.
   */
  readonly credentials?: 'checked' | 'ignored';
  /**
   * `allowed`: an administrator who acts as a user may change something here although it is about identity. Default: under
   * `/auth` and `/system` they may look only.
   */
  readonly acting?: 'refused' | 'allowed';
}

/**
 * Declares who may call a controller's routes, or one of them. A route without a decision fails at boot: nothing is
 * open because somebody forgot it.
 */
export const Access = (
  decision: AccessDecision,
  options: AccessOptions = {},
): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(ACCESS_DECISION, decision), SetMetadata(ACCESS_OPTIONS, options));

/** For everyone, with or without a credential. */
export const Public = (): ClassDecorator & MethodDecorator => Access('public');

/** For actors that have at least one of the roles, and for administrators. */
export const Roles = (...roles: readonly [string, ...string[]]): ClassDecorator & MethodDecorator =>
  Access({ roles: Object.freeze([...roles]) });

const DEFAULT_RECENT_SECONDS = 300;

/** How lately a user must have proved who they are, and with what. */
export interface RecentAuth {
  readonly maxAgeSeconds: number;
  /** Whether with a second factor; `if-enrolled`: where the user has one, and otherwise with what they have. */
  readonly secondFactor: boolean | 'if-enrolled';
}

/**
 * Besides the route's decision: for users who have signed in, or proved at `/auth/step-up` who they are, within so many
 * seconds. Others are told to do so, with the challenge of RFC 9470. A key proves nothing about a person, and is refused.
 */
export const RequireRecentAuth = (
  maxAgeSeconds: number = DEFAULT_RECENT_SECONDS,
  { secondFactor = false }: Partial<Pick<RecentAuth, 'secondFactor'>> = {},
): ClassDecorator & MethodDecorator =>
  SetMetadata(RECENT_AUTH, { maxAgeSeconds, secondFactor } satisfies RecentAuth);
