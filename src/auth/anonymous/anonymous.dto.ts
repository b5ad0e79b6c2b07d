import { PickType } from '@nestjs/swagger';
import { SignInDto, SignUpDto } from '../sign-in/sign-in.dto.js';

export class BeginAnonymousDto extends PickType(SignInDto, ['session'] as const) {}

export class UpgradeDto extends PickType(SignUpDto, ['email', 'password'] as const) {}
