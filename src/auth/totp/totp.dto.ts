import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';

export class TotpEnrolmentDto {
  @ApiProperty({ description: 'In base32, for apps into which it is typed.', example: 'JBSWY3DPEHPK3PXP' })
  secret: string;

  @ApiProperty({
    description: 'For a QR code.',
    example: 'otpauth://totp/example.com:ada%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=example.com',
  })
  uri: string;
}

export class ConfirmTotpDto {
  @ApiProperty({ pattern: String.raw`^\d{6}$`, example: '492039' })
  @Matches(/^\d{6}$/, { message: 'code must be six digits' })
  code: string;
}
