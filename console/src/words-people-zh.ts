// Chinese of the page of people and access.

type Table = Readonly<Record<string, string>>

export const people = {
  title: '人员与权限',
  adminsOnly: '只有管理员可以查看和修改人员与权限。',
  tabs: { users: '用户', sessions: '会话', tokens: '接口令牌', audit: '审计日志' },
  roles: { viewer: '查看', operator: '操作员', engineer: '工程师', admin: '管理员' } as Table,
  everything: '全部',
  scope: (enterprises: string, sites: string) => `企业：${enterprises}；场所：${sites}`,
  enterprises: '企业编号（逗号分隔，留空为全部）',
  sites: '场所编号（逗号分隔，留空为全部）',
  role: '角色',
  yes: '确定',
  users: {
    what: '用户列表',
    columns: { name: '用户', role: '角色', scope: '范围', state: '状态', act: '操作' },
    disabled: '已停用',
    enabled: '正常',
    external: '统一身份登录',
    since: '建于',
    add: '新建用户',
    name: '用户名',
    password: '初始密码',
    edit: '修改',
    save: '保存',
    newPassword: '新密码（留空为不改）',
    disable: '停用',
    disableAsk: '停用后其会话立即结束，确定吗？',
    enable: '启用',
    remove: '删除',
    removeAsk: '删除用户及其会话和令牌，确定吗？'
  },
  sessions: {
    what: '会话列表',
    columns: { user: '用户', since: '开始', seen: '最近活动', from: '来自', act: '操作' },
    current: '本次会话',
    end: '结束',
    endAsk: '立即结束此会话，确定吗？'
  },
  tokens: {
    what: '令牌列表',
    none: '没有接口令牌',
    columns: { name: '名称', role: '角色', scope: '范围', used: '最近使用', state: '状态', act: '操作' },
    never: '从未',
    revoked: '已吊销',
    valid: '有效',
    by: (user: string) => `${user} 建立`,
    add: '新建令牌',
    name: '名称',
    once: '令牌只显示这一次，请立即保存：',
    revoke: '吊销',
    revokeAsk: '吊销后立即失效，确定吗？'
  },
  account: {
    title: '我的账号',
    password: '修改密码',
    lead: '修改后您的其他会话立即结束，接口令牌不变。',
    external: '您通过统一身份登录，密码请在那里修改。',
    present: '现在的密码',
    next: '新密码（至少 8 个字符）',
    again: '再输入一次新密码',
    differ: '两次输入的新密码不一致。',
    send: '修改密码',
    wrong: '现在的密码不对，密码没有修改。',
    unfit: '新密码不合要求：太短、太常见或含有用户名。',
    changed: '密码已修改，您的其他会话已结束。',
    sessions: '我的会话'
  },
  audit: {
    what: '审计日志',
    none: '没有记录',
    columns: { at: '时间', who: '谁', what: '做了什么', change: '前后' },
    before: '之前',
    after: '之后'
  }
}
