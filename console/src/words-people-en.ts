// English of the page of people and access.

import type { PeopleWords } from './people.ts'

export const people: PeopleWords = {
  title: 'People and access',
  adminsOnly: 'People and access are for administrators.',
  tabs: { users: 'Users', sessions: 'Sessions', tokens: 'API tokens', audit: 'Audit log' },
  roles: { viewer: 'Viewer', operator: 'Operator', engineer: 'Engineer', admin: 'Administrator' },
  everything: 'all',
  scope: (enterprises, sites) => `enterprises: ${enterprises}; sites: ${sites}`,
  enterprises: 'Enterprise ids (commas; empty: all)',
  sites: 'Site ids (commas; empty: all)',
  role: 'Role',
  yes: 'Go on',
  users: {
    what: 'The list of users',
    columns: { name: 'User', role: 'Role', scope: 'Scope', state: 'State', act: 'Action' },
    disabled: 'Disabled',
    enabled: 'Enabled',
    external: 'signs in by OpenID',
    since: 'since',
    add: 'New user',
    name: 'User name',
    password: 'First password',
    edit: 'Change',
    save: 'Save',
    newPassword: 'New password (empty: as it is)',
    disable: 'Disable',
    disableAsk: 'Their sessions end at once. Go on?',
    enable: 'Enable',
    remove: 'Remove',
    removeAsk: 'Removes the user with sessions and tokens. Go on?'
  },
  sessions: {
    what: 'The list of sessions',
    columns: { user: 'User', since: 'Began', seen: 'Last seen', from: 'From', act: 'Action' },
    current: 'this one',
    end: 'End',
    endAsk: 'The session ends at once. Go on?'
  },
  tokens: {
    what: 'The list of tokens',
    none: 'There are no API tokens',
    columns: { name: 'Name', role: 'Role', scope: 'Scope', used: 'Last used', state: 'State', act: 'Action' },
    never: 'never',
    revoked: 'Revoked',
    valid: 'In force',
    by: (user) => `made by ${user}`,
    add: 'New token',
    name: 'Name',
    once: 'The token is shown this once. Keep it now:',
    revoke: 'Revoke',
    revokeAsk: 'It stops working at once. Go on?'
  },
  account: {
    title: 'My account',
    password: 'Change password',
    lead: 'Your other sessions end at once; API tokens stay.',
    external: 'You sign in by OpenID Connect; change your password there.',
    present: 'Present password',
    next: 'New password (at least 8 characters)',
    again: 'New password once more',
    differ: 'The two new passwords are not the same.',
    send: 'Change password',
    wrong: 'The present password is wrong; nothing was changed.',
    unfit: 'The new password will not do.',
    changed: 'The password is changed; your other sessions have ended.',
    sessions: 'My sessions'
  },
  audit: {
    what: 'The audit log',
    none: 'Nothing on record',
    columns: { at: 'Time', who: 'Who', what: 'What', change: 'Before and after' },
    before: 'before',
    after: 'after'
  }
}
