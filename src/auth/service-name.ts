import type { PlinthConfig } from '../common/config/index.js';

/** What authenticator apps and passkey managers show this server as. */
export const serviceName = ({ publicUrl }: PlinthConfig): string =>
  publicUrl === null ? 'Plinth' : new URL(publicUrl).hostname;
