import type { Setting } from './setting.js';

/** Variables that are there once for each of several names, such as `PLINTH_OIDC_<NAME>_ISSUER`. */
export interface SettingFamily {
  /** The variable that lists the names. */
  readonly listedIn: string;
  readonly prefix: string;
  /** Each with the end of its variable. */
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}

/** The variable of one member: `memberVariable('PLINTH_OIDC_', 'my-idp', 'ISSUER')` is `PLINTH_OIDC_MY_IDP_ISSUER`. */
export const memberVariable = (prefix: string, name: string, end: string): string =>
  `${prefix}${name.toUpperCase().replaceAll('-', '_')}_${end}`;

/** The settings of one member, with their whole variables. */
export const settingsOfMember = <S extends Readonly<Record<string, Setting<unknown>>>>(
  { prefix, settings }: { readonly prefix: string; readonly settings: S },
  name: string,
): S =>
  Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [
      key,
      { ...setting, variable: memberVariable(prefix, name, setting.variable) },
    ]),
  ) as S;
