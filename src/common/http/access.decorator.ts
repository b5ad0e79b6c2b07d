import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/**
 * Who may call a route: `public` everyone (also without credentials; what they may do is decided further in, by
 * policies), `authenticated` any actor with a credential, `admin` actors with the role `admin`.
 */
export type AccessDecision = 'public' | 'authenticated' | 'admin';

export const ACCESS_DECISION = 'plinth:access-decision';

/**
 * Declares who may call a controller's routes, or one of them. A route without a decision fails at boot: nothing is
 * open because somebody forgot it.
 */
export const Access = (decision: AccessDecision): CustomDecorator => SetMetadata(ACCESS_DECISION, decision);
