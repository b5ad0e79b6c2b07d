import { ApiProperty, ApiPropertyOptional, OmitType, PartialType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsObject,
  IsString,
  Matches,
  MaxLength,
  ValidateIf,
} from 'class-validator';
import { IfGiven, PageDto, PageQuery } from '../../access/index.js';
import { MaxJsonLength } from '../max-json-length.decorator.js';
import { MAX_RETURN_URL } from '../mails/return-urls.js';
import { MAX_PASSWORD_LENGTH } from '../passwords/password-policy.js';
import { MAX_EMAIL_LENGTH } from './email-address.js';
import { USER_STATUSES, type UserStatus } from './user.entity.js';

/** Also the check on the table. */
const USERNAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/;

export const MAX_PROFILE_LENGTH = 16_384;

export class UserDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ type: 'string', nullable: true, example: 'ada@example.org' })
  email: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  emailVerifiedAt: Date | null;

  @ApiProperty({ type: 'string', nullable: true, example: 'ada' })
  username: string | null;

  @ApiProperty({ enum: USER_STATUSES })
  status: UserStatus;

  @ApiProperty({ description: 'Whether they began without an account and have none yet.' })
  isAnonymous: boolean;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What users say of themselves; no rule should trust it.',
  })
  profile: Record<string, unknown>;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What administrators say of them: `auth.claims` in policies.',
  })
  claims: Record<string, unknown>;

  @ApiProperty({ type: [String], description: 'Given roles; everyone signed in also has `authenticated`.' })
  roles: readonly string[];

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time' })
  updatedAt: Date;
}

export class UserPageDto {
  @ApiProperty({ type: [UserDto] })
  data: readonly UserDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}

/** What users may change of themselves. */
export class UpdateMeDto {
  @ApiPropertyOptional({ type: 'string', nullable: true, pattern: USERNAME.source, example: 'ada' })
  @ValidateIf((_body, value) => value !== undefined && value !== null)
  @Matches(USERNAME, {
    message: 'username must be 2 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit',
  })
  username?: string | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: `At most ${MAX_PROFILE_LENGTH} characters of JSON; it replaces the one before.`,
    example: { name: 'Ada Lovelace' },
  })
  @IfGiven()
  @IsObject()
  @MaxJsonLength(MAX_PROFILE_LENGTH)
  profile?: Record<string, unknown>;
}

export class CreateUserDto extends UpdateMeDto {
  @ApiProperty({ format: 'email', maxLength: MAX_EMAIL_LENGTH, example: 'ada@example.org' })
  @IsEmail()
  @MaxLength(MAX_EMAIL_LENGTH)
  email: string;

  @ApiPropertyOptional({
    description: 'Whether the address is known to be theirs.',
    default: false,
  })
  @IfGiven()
  @IsBoolean()
  emailVerified?: boolean;

  @ApiPropertyOptional({
    maxLength: MAX_PASSWORD_LENGTH,
    description: 'Without one, nobody can sign in to the account until it is set.',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_PASSWORD_LENGTH)
  password?: string;

  @ApiPropertyOptional({ type: 'array', items: { type: 'string' }, maxItems: 100, example: ['editor'] })
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  roles?: string[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What policies see as `auth.claims`, beside the e-mail address and the username.',
    example: { tenant_id: 7 },
  })
  @IfGiven()
  @IsObject()
  @MaxJsonLength(MAX_PROFILE_LENGTH)
  claims?: Record<string, unknown>;

  @ApiPropertyOptional({ enum: ['active', 'invited'], default: 'active' })
  @IfGiven()
  @IsIn(['active', 'invited'])
  status?: 'active' | 'invited';

  @ApiPropertyOptional({
    default: false,
    description: 'Whether to mail an invitation. The user chooses a password with it, so none is given here.',
  })
  @IfGiven()
  @IsBoolean()
  invite?: boolean;

  @ApiPropertyOptional({
    maxLength: MAX_RETURN_URL,
    description:
      'Of an invitation: the page of an application that its link leads to, one of `PLINTH_RETURN_URLS`. Default: a page of this server.',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_RETURN_URL)
  returnTo?: string;
}

export class UpdateUserDto extends PartialType(
  OmitType(CreateUserDto, ['status', 'invite', 'returnTo'] as const),
  {
    skipNullProperties: false,
  },
) {}

export class UserQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'A part of the e-mail address or the username.', maxLength: 254 })
  @IfGiven()
  @IsString()
  @MaxLength(254)
  search?: string;

  @ApiPropertyOptional({ enum: USER_STATUSES, description: 'Only users of this status.' })
  @IfGiven()
  @IsIn(USER_STATUSES)
  status?: UserStatus;

  @ApiPropertyOptional({ description: 'Only users with this role.', maxLength: 63 })
  @IfGiven()
  @IsString()
  @MaxLength(63)
  role?: string;
}
