import { ValidateIf } from 'class-validator';

/** A member that may be left out, but is not null where it is there; `IsOptional` would let null through. */
export const IfGiven = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);
