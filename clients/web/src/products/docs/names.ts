// How people are named: a guest, who chose their name, never passes for a member who has the same.
import { t } from './words'

export interface Named {
  readonly name: string
  /** Said by the server of whoever came by a link, without an account. */
  readonly guest?: boolean | undefined
}

export const nameOf = ({ name, guest }: Named): string => (guest === true ? t('guest.named', { name }) : name)
