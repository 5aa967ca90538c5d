// The roles that can be given, in words.
import type { LinkRole, Role } from '../api'
import { t } from '../words'

const ROLES = ['viewer', 'commenter', 'editor'] as const

export interface Choice<Value> {
  readonly value: Value
  readonly label: string
}

/** For people: who may do most stands first. */
export const roleChoices = (): Choice<Role>[] => ROLES.toReversed().map((value) => ({ value, label: t(`role.${value}`) }))
/** For links: what is given away least stands first. */
export const linkChoices = (): Choice<LinkRole>[] => ROLES.map((value) => ({ value, label: t(`role.${value}`) }))
