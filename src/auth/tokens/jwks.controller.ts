import { Controller, Get, Header, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, NoParameters } from '../../common/http/index.js';
import { SIGNATURE_ALGORITHM, SigningKeys } from './signing-keys.service.js';

class JwkDto {
  @ApiProperty({ enum: ['OKP'] })
  kty: string;

  @ApiProperty({ enum: ['Ed25519'] })
  crv: string;

  @ApiProperty({ description: 'The public key, in base64url.' })
  x: string;

  @ApiProperty({ description: 'What tokens name the key by: its thumbprint (RFC 7638).' })
  kid: string;

  @ApiProperty({ enum: [SIGNATURE_ALGORITHM] })
  alg: string;

  @ApiProperty({ enum: ['sig'] })
  use: string;
}

class JwksDto {
  @ApiProperty({
    type: [JwkDto],
    description:
      'The newest is the last. A key is here an hour before it signs, and until no token needs it.',
  })
  keys: readonly object[];
}

/** The public keys of access tokens (RFC 7517), for services that verify them. */
@ApiTags('auth')
@Access('public', { credentials: 'ignored' })
@Controller({ path: '.well-known', version: VERSION_NEUTRAL })
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Header('cache-control', 'public, max-age=600')
  @ApiOperation({ summary: 'List the public keys of access tokens' })
  @ApiResponse({ status: 200, type: JwksDto, description: 'The JWK set.' })
  list(@NoParameters() _none: unknown): JwksDto {
    return { keys: this.keys.listPublished() };
  }
}
