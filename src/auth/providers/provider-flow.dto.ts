import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { IfGiven } from '../../access/index.js';
import type { SessionKind } from '../sessions/sessions.service.js';
import type { UserIdentity } from './user-identity.entity.js';

const MAX_RETURN_LENGTH = 2000;
/** SHA-256 in base64url. */
const CHALLENGE = /^[\w-]{43}$/;
/** RFC 7636. */
const VERIFIER = /^[\w.~-]{43,128}$/;

export class ProviderDto {
  @ApiProperty({ example: 'acme', description: 'As addresses name it: `GET /auth/oidc/{provider}`.' })
  name: string;

  @ApiProperty({ example: 'Acme', description: 'What a button says.' })
  label: string;
}

export class ProviderListDto {
  @ApiProperty({ type: [ProviderDto] })
  data: readonly ProviderDto[];
}

export const INTENTS = ['sign-in', 'link'] as const;
export type Intent = (typeof INTENTS)[number];

export class StartFlowQuery {
  @ApiPropertyOptional({
    maxLength: MAX_RETURN_LENGTH,
    description: 'Where the browser ends: below one of `PLINTH_RETURN_URLS`. Default: the first of them.',
    example: 'https://app.example.com/signed-in',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_RETURN_LENGTH)
  returnTo?: string;

  @ApiPropertyOptional({
    enum: ['token', 'cookie'],
    default: 'token',
    description:
      '`token` adds a `code` to the return address, for `POST /auth/oidc/token`; `cookie` sets the session cookie.',
  })
  @IfGiven()
  @IsIn(['token', 'cookie'])
  session?: SessionKind;

  @ApiPropertyOptional({
    enum: INTENTS,
    default: 'sign-in',
    description: '`link` adds a `code` for `POST /auth/identities`.',
  })
  @IfGiven()
  @IsIn(INTENTS)
  intent?: Intent;

  @ApiPropertyOptional({
    pattern: CHALLENGE.source,
    description:
      'The SHA-256 hash, in base64url, of a `codeVerifier` that the application keeps: who has not got that cannot use the `code`. Without it, only the same browser can.',
  })
  @IfGiven()
  @Matches(CHALLENGE, { message: 'codeChallenge must be a SHA-256 hash in base64url' })
  codeChallenge?: string;
}

export class UseCodeDto {
  @ApiProperty({ maxLength: 200, description: 'What the return address had. It holds for a minute, once.' })
  @IsString()
  @MaxLength(200)
  code: string;

  @ApiPropertyOptional({ pattern: VERIFIER.source, description: 'What `codeChallenge` is the hash of.' })
  @IfGiven()
  @Matches(VERIFIER, { message: 'codeVerifier must be 43 to 128 letters, digits, "-", ".", "_" or "~"' })
  codeVerifier?: string;
}

export class ExchangeCodeDto extends UseCodeDto {
  @ApiPropertyOptional({
    enum: ['token', 'cookie'],
    default: 'token',
    description:
      '`cookie` for browsers: the answer sets a cookie that scripts cannot read, and has no tokens.',
  })
  @IfGiven()
  @IsIn(['token', 'cookie'])
  session?: SessionKind;
}

export class IdentityDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ example: 'acme' })
  provider: string;

  @ApiProperty({ description: 'Who says so.', example: 'https://id.example.com' })
  issuer: string;

  @ApiProperty({ description: 'Who it is there.' })
  subject: string;

  @ApiProperty({ type: 'string', nullable: true, description: 'As the provider said last.' })
  email: string | null;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  lastUsedAt: Date | null;
}

export class IdentityListDto {
  @ApiProperty({ type: [IdentityDto] })
  data: readonly IdentityDto[];
}

export const toIdentityDto = ({
  id,
  provider,
  issuer,
  subject,
  email,
  createdAt,
  lastUsedAt,
}: UserIdentity): IdentityDto => ({ id, provider, issuer, subject, email, createdAt, lastUsedAt });
