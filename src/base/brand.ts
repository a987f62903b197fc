/** A string or number that only its parser can make: `type ListenerId = Brand<string, 'ListenerId'>`. */

declare const brand: unique symbol;

export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
