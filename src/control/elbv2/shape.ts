/**
 * What the SDK's types mean once an input has been decoded. The SDK writes a required member as `T | undefined` and an
 * enum as a closed union; after decoding, the first is there and the second may still be any text.
 */
import type { Operation } from '#control/operation.ts';

/** An input as its decoder leaves it: required members present, primitive types right, everything else unchecked. */
export type Decoded<Shape> = Shape extends string
  ? string
  : Shape extends number | boolean | Date | undefined
    ? Shape
    : Shape extends readonly (infer Member)[]
      ? readonly Decoded<Member>[]
      : {
          readonly [Name in keyof Shape]: Decoded<
            IsOptional<Shape, Name> extends true ? Shape[Name] : NonNullable<Shape[Name]>
          >;
        };

type IsOptional<Shape, Name extends keyof Shape> = Record<never, never> extends Pick<Shape, Name> ? true : false;

/** An operation of the API version 2015-12-01, typed by the SDK's structures of its input and output. */
export type Elbv2Operation<Input, Output> = Operation<Decoded<Input>, Output>;
