import { AppError } from '../platform/app-error.ts';

/** Says which of the unique things another business has already; null for any other error. */
export function takenError(error: unknown): AppError | null {
  const { code, constraint } = error as { code?: string; constraint?: string };
  if (code !== '23505') return null;
  return new AppError('business_taken', {
    field: constraint?.includes('tin')
      ? 'tin_number'
      : constraint?.includes('email')
        ? 'email'
        : 'organization_id',
  });
}
