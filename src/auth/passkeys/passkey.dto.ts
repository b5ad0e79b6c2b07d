import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { IfGiven } from '../../access/index.js';
import { ApiCredential, IsCredential, NewRecoveryCodesDto } from '../second-factor/second-factor.dto.js';
import type { SessionKind } from '../sessions/sessions.service.js';
import { MAX_EMAIL_LENGTH } from '../users/email-address.js';
import type { Passkey } from './passkey.entity.js';
import type { CredentialJson } from './read-credential.js';

/** Also the check on the table. */
const MAX_NAME_LENGTH = 100;
/** Something to read, on one line. */
const NAME = /^(?=.*\S)[^\p{Cc}]*$/u;

class PasskeyNameDto {
  @ApiProperty({ minLength: 1, maxLength: MAX_NAME_LENGTH, example: 'Work laptop' })
  @IsString()
  @MaxLength(MAX_NAME_LENGTH)
  @Matches(NAME, { message: 'name must be a line of text' })
  name: string;
}

export class RenamePasskeyDto extends PasskeyNameDto {}

export class PasskeyDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ example: 'Work laptop' })
  name: string;

  @ApiProperty({ description: 'Whether it is copied between devices, as password managers do.' })
  isSynced: boolean;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  lastUsedAt: Date | null;
}

export class PasskeyListDto {
  @ApiProperty({ type: [PasskeyDto] })
  data: readonly PasskeyDto[];
}

export class RegisterPasskeyDto {
  @ApiCredential('What `navigator.credentials.create()` gave, as its `toJSON()` writes it.')
  @IsCredential()
  credential: CredentialJson;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_NAME_LENGTH,
    default: 'what the browser calls itself',
    example: 'Work laptop',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_NAME_LENGTH)
  @Matches(NAME, { message: 'name must be a line of text' })
  name?: string;
}

export class RegisteredPasskeyDto extends NewRecoveryCodesDto {
  @ApiProperty({ type: PasskeyDto })
  passkey: PasskeyDto;
}

export class PasskeySignInOptionsDto {
  @ApiPropertyOptional({
    format: 'email',
    maxLength: MAX_EMAIL_LENGTH,
    description: 'Only a passkey of this account will do. The answer does not tell whether there is one.',
    example: 'ada@example.org',
  })
  @IfGiven()
  @IsEmail()
  @MaxLength(MAX_EMAIL_LENGTH)
  email?: string;
}

export class PasskeySignInDto {
  @ApiCredential('What `navigator.credentials.get()` gave, as its `toJSON()` writes it.')
  @IsCredential()
  credential: CredentialJson;

  @ApiPropertyOptional({ enum: ['token', 'cookie'], default: 'token', description: 'As at `/auth/sign-in`.' })
  @IfGiven()
  @IsIn(['token', 'cookie'])
  session?: SessionKind;
}

class DescriptorDto {
  @ApiProperty()
  id: string;

  @ApiProperty({ enum: ['public-key'] })
  type: 'public-key';

  @ApiPropertyOptional({ type: [String] })
  transports?: string[];
}

/** `PublicKeyCredentialRequestOptionsJSON` of WebAuthn. */
export class PasskeyRequestDto {
  @ApiProperty({ description: 'Good once, for five minutes.' })
  challenge: string;

  @ApiProperty({ description: 'The domain that passkeys are bound to.', example: 'example.com' })
  rpId: string;

  @ApiProperty({ type: [DescriptorDto], description: 'Empty: any passkey that the device has will do.' })
  allowCredentials: DescriptorDto[];

  @ApiProperty({ type: 'integer', description: 'Milliseconds.' })
  timeout: number;

  @ApiProperty({ enum: ['required', 'preferred'] })
  userVerification: string;
}

/** `PublicKeyCredentialCreationOptionsJSON` of WebAuthn. */
export class PasskeyCreationDto {
  @ApiProperty({ description: 'Good once, for five minutes.' })
  challenge: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { id: 'example.com', name: 'example.com' },
  })
  rp: object;

  @ApiProperty({ type: 'object', additionalProperties: true })
  user: object;

  @ApiProperty({ type: 'array', items: { type: 'object', additionalProperties: true } })
  pubKeyCredParams: object[];

  @ApiProperty({ type: 'integer', description: 'Milliseconds.' })
  timeout: number;

  @ApiProperty({ enum: ['none'] })
  attestation: string;

  @ApiProperty({ type: [DescriptorDto], description: 'What the user has already.' })
  excludeCredentials: DescriptorDto[];

  @ApiProperty({ type: 'object', additionalProperties: true })
  authenticatorSelection: object;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  extensions?: object;

  @ApiPropertyOptional({ type: [String] })
  hints?: string[];
}

export const toPasskeyDto = ({ id, name, isSynced, createdAt, lastUsedAt }: Passkey): PasskeyDto => ({
  id,
  name,
  isSynced,
  createdAt,
  lastUsedAt,
});
