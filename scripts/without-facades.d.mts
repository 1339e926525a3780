/** See the code, which any Node runs. */
export function withoutFacades(code: string): { readonly code: string; readonly map: null }
