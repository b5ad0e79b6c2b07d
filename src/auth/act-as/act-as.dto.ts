import { ApiProperty } from '@nestjs/swagger';
import { UserDto } from '../users/user.dto.js';

export class ActingDto {
  @ApiProperty({ format: 'uuid', description: 'Ends with `DELETE /system/sessions/{id}`.' })
  sessionId: string;

  @ApiProperty({
    description: 'A JWT, for `Authorization: Bearer`. Its claim `act` says who acts (RFC 8693).',
  })
  accessToken: string;

  @ApiProperty({ enum: ['Bearer'] })
  tokenType: 'Bearer';

  @ApiProperty({ type: 'integer', description: 'Seconds for which it holds; it cannot be refreshed.' })
  expiresIn: number;

  @ApiProperty({ type: UserDto, description: 'As whom.' })
  user: UserDto;
}
