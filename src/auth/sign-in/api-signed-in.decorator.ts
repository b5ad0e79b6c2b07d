import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { SecondFactorStepDto } from '../second-factor/second-factor.dto.js';
import { SignedInDto } from './sign-in.dto.js';

/** Documents what a route answers that ends in `SignInService.complete`. */
export const ApiSignedIn = (
  description = 'Signed in; or the first step of it, where the user has a second factor.',
): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(SignedInDto, SecondFactorStepDto),
    ApiResponse({
      status: 200,
      description: `${description} With \`"session": "cookie"\`, the cookie is set and there are no tokens.`,
      content: {
        'application/json': {
          schema: {
            oneOf: [{ $ref: getSchemaPath(SignedInDto) }, { $ref: getSchemaPath(SecondFactorStepDto) }],
          },
        },
      },
    }),
  );
