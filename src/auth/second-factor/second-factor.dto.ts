import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsString, MaxLength, MinLength } from 'class-validator';
import { IfGiven } from '../../access/index.js';
import { MaxJsonLength } from '../max-json-length.decorator.js';
import type { CredentialJson } from '../passkeys/read-credential.js';

export const SECOND_FACTOR_METHODS = ['passkey', 'totp', 'recovery-code'] as const;
export type SecondFactorMethod = (typeof SECOND_FACTOR_METHODS)[number];

const MAX_CREDENTIAL_LENGTH = 65_536;

/** A credential as browsers give it. */
export const ApiCredential = (description: string, isOptional = false): PropertyDecorator =>
  (isOptional ? ApiPropertyOptional : ApiProperty)({
    type: 'object',
    additionalProperties: true,
    required: ['id', 'type', 'response'],
    properties: {
      id: { type: 'string' },
      type: { type: 'string', enum: ['public-key'] },
      response: { type: 'object', additionalProperties: true },
    },
    description,
  });

export const IsCredential = (): PropertyDecorator => (target, key) => {
  IsObject()(target, key);
  MaxJsonLength(MAX_CREDENTIAL_LENGTH)(target, key);
};

/** What shows a second factor. */
export class SecondFactorAnswerDto {
  @ApiPropertyOptional({
    description: 'Of the authenticator app, or a recovery code.',
    minLength: 1,
    maxLength: 64,
    example: '492039',
  })
  @IfGiven()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  code?: string;

  @ApiCredential('What `navigator.credentials.get()` gave, as its `toJSON()` writes it.', true)
  @IfGiven()
  @IsCredential()
  credential?: CredentialJson;
}

export class TicketDto {
  @ApiProperty({ maxLength: 100, description: 'Of the answer to the first factor.' })
  @IsString()
  @MaxLength(100)
  ticket: string;
}

export class SecondFactorDto extends SecondFactorAnswerDto {
  @ApiProperty({ maxLength: 100, description: 'Of the answer to the first factor.' })
  @IsString()
  @MaxLength(100)
  ticket: string;
}

/** The answer to a first factor where there is a second one. */
export class SecondFactorStepDto {
  @ApiProperty({ enum: ['second-factor'] })
  step: 'second-factor';

  @ApiProperty({ description: 'For `/auth/second-factor`, once.' })
  ticket: string;

  @ApiProperty({ enum: SECOND_FACTOR_METHODS, isArray: true, description: 'Any of these will do.' })
  methods: readonly SecondFactorMethod[];

  @ApiProperty({ type: 'integer', description: 'Seconds for which the ticket is good.' })
  expiresIn: number;
}

export class SecondFactorStateDto {
  @ApiProperty({
    enum: SECOND_FACTOR_METHODS,
    isArray: true,
    description: 'What the user can show; empty where no second factor is asked for.',
  })
  methods: readonly SecondFactorMethod[];

  @ApiProperty({ type: 'integer', description: 'Recovery codes that were not used yet.' })
  recoveryCodesLeft: number;
}

export class RecoveryCodesDto {
  @ApiProperty({
    type: [String],
    description: 'Each is good once, in place of another second factor. They are never shown again.',
    example: ['k7mq-2x9f-h3vd-w8np'],
  })
  recoveryCodes: readonly string[];
}

export class NewRecoveryCodesDto {
  @ApiProperty({
    type: [String],
    nullable: true,
    description: 'Never shown again. Null where the user has some that were not used yet.',
    example: ['k7mq-2x9f-h3vd-w8np'],
  })
  recoveryCodes: readonly string[] | null;
}
