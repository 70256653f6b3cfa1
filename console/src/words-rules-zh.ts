// Chinese of the pages of rules.

type Table = Readonly<Record<string, string>>

export const rules = {
  title: '规则',
  what: '规则列表',
  one: '规则',
  none: '没有规则',
  noMatch: '没有符合条件的规则',
  missing: (id: string) => `没有规则 ${id}，或当前账号看不到它。`,
  shown: (shown: number, all: number) => (shown === all ? `共 ${all} 条` : `显示 ${shown} / 共 ${all} 条`),
  search: '搜索编号、名称、条件',
  firing: '触发情况',
  firings: { '': '全部', never: '从未触发', always: '一直触发', failing: '判断不了' } as Table,
  columns: { rule: '规则', tiers: '级别', watches: '监视', standing: '当前告警', last: '最近触发', state: '情况' },
  watches: { device: (n: number) => `${n} 台设备`, area: (n: number) => `${n} 个区域` },
  quiet: '无',
  neverFired: '从未',
  never: '从未触发',
  always: '每处都已持续报警 24 小时以上',
  failing: (share: string) => `${share} 的对象判断不了`,
  shadow: '影子运行',
  shadowLong: '影子运行：照常判断，不报警、不通知',
  changed: '已改动',
  onlyHere: '控制台新建',
  leftOut: (why: string) => `未生效：${why}`,
  removedHere: (ids: string) => `已在控制台停用：${ids}`,
  builtIn: '内置',
  make: '新建规则',
  back: '返回规则列表',
  applies: '适用',
  everything: '全部设备',
  keys: { profile: '类型', devices: '设备', area: '区域', site: '场所', enterprise: '企业' } as Table,
  origin: '来源',
  fromFile: (place: string) => `文件 ${place}`,
  overFile: (place: string, version: number) => `控制台第 ${version} 版，覆盖文件 ${place}`,
  fromHere: (version: number) => `控制台第 ${version} 版，文件中没有`,
  fromBuiltIn: '内置故障规则，由 rules/*.yaml 的 builtIn 启用',
  source: '依据',
  reasons: '判断不了的原因',
  readOnly: '只有工程师可以修改规则。',
  editor: {
    title: '规则内容',
    label: '规则内容（YAML）',
    check: '检查',
    checking: '检查中…',
    save: '保存并生效',
    note: '修改说明',
    notePlaceholder: '为什么改：随版本保存',
    discard: '放弃修改',
    unsaved: '有未保存的修改',
    line: (n: number) => `第 ${n} 行`,
    ok: '检查通过',
    bad: (n: number) => `${n} 处问题`,
    subjects: (before: number, after: number) =>
      before === after ? `监视 ${after} 个对象，不变` : `监视对象由 ${before} 个变为 ${after} 个`,
    added: '新增监视',
    removed: '不再监视',
    turns: (n: number) => (n === 0 ? '按当前数值，保存后没有告警立即变化' : `按当前数值，保存后 ${n} 处立即变化`),
    same: '与生效内容相同',
    diff: '改动',
    saved: (version: number) => `已保存为第 ${version} 版，立即生效。`,
    unchanged: '内容没有变化。',
    conflict: '这条规则已被别人修改。您的修改仍在编辑框中；请载入最新版本核对后再保存。',
    reload: '载入最新版本（放弃我的修改）',
    template: `id: 新规则编号
title: { zh: 名称, en: Title }
appliesTo: { profile: 设备类型 }
tiers:
  yellow: { when: 条件, for: 10s }
guidance:
  zh: 原因:。后果:。处置:。时限:。
  en: "Cause: . Consequence: . Do: . Within: ."
`
  },
  shadowOn: '转为影子运行',
  shadowOff: '结束影子运行',
  shadowOnAsk: '转为影子运行后，此规则不再报警，当前告警将消除。确定吗？',
  shadowOffAsk: '结束影子运行后，此规则将正式报警并通知人员。确定吗？',
  shadowOnNote: '转为影子运行',
  shadowOffNote: '结束影子运行',
  toFile: '恢复为文件内容',
  toFileAsk: '控制台所作修改将不再生效，确定吗？',
  remove: '停用规则',
  removeAsk: '停用后不再判断，当前告警将消除。确定吗？',
  yes: '确定',
  versions: {
    title: '版本',
    what: '版本',
    none: '没有在控制台修改过。文件中的修改不在此列。',
    version: (n: number) => `第 ${n} 版`,
    changes: { created: '新建', changed: '修改', removed: '停用', reverted: '恢复为文件内容', unchanged: '未变' } as Table,
    diff: '改动内容',
    revert: '恢复到此版本',
    revertAsk: (n: number) => `恢复到第 ${n} 版并立即生效，确定吗？`,
    revertNote: (n: number) => `恢复到第 ${n} 版`
  },
  level: { clear: '无告警', blue: '蓝色', yellow: '黄色', orange: '橙色', red: '红色' } as Table
}
