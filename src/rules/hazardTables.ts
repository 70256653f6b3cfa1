// The tables of GB 18218-2018 (identification of major hazard sources) as data: threshold quantities and correction factors.
// Read from open implementations of the standard and compared with one another, not from the standard's own text: before a
// grading is filed, hold it against the text in force.

import type { Text } from '../model/text.ts'

/** A class of table 2 with its threshold (t), and its correction factor beta of table 4. */
export interface HazardClass {
  readonly thresholdT: number
  readonly beta: number
  readonly name: Text
}

const category = (thresholdT: number, beta: number, zh: string, en: string): HazardClass => ({ thresholdT, beta, name: { zh, en } })

export const HAZARD_CLASSES: Readonly<Record<string, HazardClass>> = {
  J1: category(5, 4, '急性毒性类别 1 气体', 'Acute toxicity 1, gas'),
  J2: category(50, 1, '急性毒性类别 1 固体、液体', 'Acute toxicity 1, solid or liquid'),
  J3: category(50, 2, '急性毒性类别 2、3 气体', 'Acute toxicity 2 or 3, gas'),
  J4: category(50, 2, '急性毒性类别 2、3 吸入途径液体,沸点不高于 35 ℃', 'Acute toxicity 2 or 3 inhaled, liquid boiling at 35 °C or below'),
  J5: category(500, 1, '急性毒性类别 2 其他', 'Acute toxicity 2, other'),
  'W1.1': category(1, 2, '爆炸物 1.1', 'Explosives 1.1'),
  'W1.2': category(10, 2, '爆炸物 1.2', 'Explosives 1.2'),
  'W1.3': category(50, 2, '爆炸物 1.3', 'Explosives 1.3'),
  W2: category(10, 1.5, '易燃气体类别 1、2', 'Flammable gas 1 or 2'),
  W3: category(150, 1, '气溶胶', 'Aerosols'),
  W4: category(50, 1, '氧化性气体', 'Oxidising gas'),
  'W5.1': category(10, 1.5, '易燃液体类别 1,或类别 2、3 在沸点以上', 'Flammable liquid 1, or 2 and 3 above the boiling point'),
  'W5.2': category(50, 1, '易燃液体类别 2、3,特殊工艺条件', 'Flammable liquid 2 or 3 in special processes'),
  'W5.3': category(1000, 1, '易燃液体类别 2 其他', 'Flammable liquid 2, other'),
  'W5.4': category(5000, 1, '易燃液体类别 3 其他', 'Flammable liquid 3, other'),
  'W6.1': category(10, 1.5, '自反应物质 A、B 型', 'Self-reactive, types A and B'),
  'W6.2': category(50, 1, '自反应物质 C 至 F 型', 'Self-reactive, types C to F'),
  'W7.1': category(10, 1.5, '有机过氧化物 A、B 型', 'Organic peroxides, types A and B'),
  'W7.2': category(50, 1, '有机过氧化物 C 至 F 型', 'Organic peroxides, types C to F'),
  W8: category(50, 1, '自燃液体、固体', 'Pyrophoric liquid or solid'),
  'W9.1': category(50, 1, '氧化性固体、液体类别 1', 'Oxidiser 1'),
  'W9.2': category(200, 1, '氧化性固体、液体类别 2、3', 'Oxidiser 2 or 3'),
  W10: category(200, 1, '易燃固体', 'Flammable solid'),
  W11: category(200, 1, '遇水放出易燃气体的物质', 'Emits flammable gas with water')
}

/** A substance that table 1 names, with its threshold (t). */
export interface NamedSubstance {
  readonly name: Text
  readonly thresholdT: number
  /** The class that its beta comes from where table 3 does not name it; derived from its common classification. Null: has to be given. */
  readonly class: string | null
}

const named = (thresholdT: number, hazardClass: string | null, zh: string, en: string): NamedSubstance => ({
  thresholdT,
  class: hazardClass,
  name: { zh, en }
})

/** By CAS number. Ammonium nitrate is left out: its three forms have one CAS number and three thresholds. */
export const NAMED_SUBSTANCES: Readonly<Record<string, NamedSubstance>> = {
  '7664-41-7': named(10, null, '氨', 'Ammonia'),
  '7782-50-5': named(5, null, '氯', 'Chlorine'),
  '68476-85-7': named(50, 'W2', '液化石油气', 'Liquefied petroleum gas'),
  '74-82-8': named(50, 'W2', '甲烷、天然气', 'Methane, natural gas'),
  '67-56-1': named(500, 'W5.3', '甲醇', 'Methanol'),
  '71-43-2': named(50, 'W5.3', '苯', 'Benzene'),
  '108-88-3': named(500, 'W5.3', '甲苯', 'Toluene'),
  '86290-81-5': named(200, 'W5.3', '汽油', 'Petrol'),
  '74-85-1': named(50, 'W2', '乙烯', 'Ethylene'),
  '1333-74-0': named(5, 'W2', '氢', 'Hydrogen'),
  '75-21-8': named(10, null, '环氧乙烷', 'Ethylene oxide'),
  '75-56-9': named(10, 'W5.1', '环氧丙烷', 'Propylene oxide'),
  '75-01-4': named(50, 'W2', '氯乙烯', 'Vinyl chloride'),
  '107-13-1': named(50, 'W5.3', '丙烯腈', 'Acrylonitrile'),
  '7783-06-4': named(5, null, '硫化氢', 'Hydrogen sulphide'),
  '7446-09-5': named(20, null, '二氧化硫', 'Sulphur dioxide'),
  '7647-01-0': named(20, null, '氯化氢(无水)', 'Hydrogen chloride (anhydrous)'),
  '7664-39-3': named(1, null, '氟化氢', 'Hydrogen fluoride'),
  '74-90-8': named(1, null, '氰化氢', 'Hydrogen cyanide'),
  '75-44-5': named(0.3, null, '光气', 'Phosgene'),
  '7803-51-2': named(1, null, '磷化氢', 'Phosphine'),
  '10102-44-0': named(1, null, '二氧化氮', 'Nitrogen dioxide'),
  '7782-41-4': named(1, null, '氟', 'Fluorine'),
  '50-00-0': named(5, null, '甲醛(含量高于 90 %)', 'Formaldehyde (above 90 %)'),
  '7726-95-6': named(20, null, '溴', 'Bromine'),
  '7446-11-9': named(75, null, '三氧化硫', 'Sulphur trioxide'),
  '26471-62-5': named(100, null, '甲苯二异氰酸酯', 'Toluene diisocyanate'),
  '624-83-9': named(0.75, null, '异氰酸甲酯', 'Methyl isocyanate'),
  '74-86-2': named(1, 'W2', '乙炔', 'Acetylene'),
  '106-99-0': named(5, 'W2', '1,3-丁二烯', '1,3-Butadiene'),
  '115-10-6': named(50, 'W2', '二甲醚', 'Dimethyl ether'),
  '74-89-5': named(5, 'W2', '一甲胺', 'Methylamine'),
  '7782-44-7': named(200, 'W4', '氧(压缩的或液化的)', 'Oxygen (compressed or liquefied)'),
  '100-42-5': named(500, 'W5.4', '苯乙烯', 'Styrene'),
  '67-64-1': named(500, 'W5.3', '丙酮', 'Acetone'),
  '64-17-5': named(500, 'W5.3', '乙醇', 'Ethanol'),
  '60-29-7': named(10, 'W5.1', '乙醚', 'Diethyl ether'),
  '141-78-6': named(500, 'W5.3', '乙酸乙酯', 'Ethyl acetate'),
  '110-54-3': named(500, 'W5.3', '正己烷', 'n-Hexane'),
  '110-82-7': named(500, 'W5.3', '环己烷', 'Cyclohexane'),
  '75-15-0': named(50, 'W5.3', '二硫化碳', 'Carbon disulphide'),
  '107-02-8': named(20, null, '丙烯醛', 'Acrolein'),
  '106-89-8': named(20, 'W5.4', '环氧氯丙烷', 'Epichlorohydrin'),
  '79-21-0': named(10, null, '过氧乙酸', 'Peracetic acid'),
  '12185-10-3': named(50, 'W8', '黄磷', 'Yellow phosphorus'),
  '52583-42-3': named(20, 'W9.1', '发烟硝酸', 'Fuming nitric acid'),
  '7697-37-2': named(100, 'W9.2', '硝酸(含量高于 70 %)', 'Nitric acid (above 70 %)'),
  '7775-09-9': named(100, 'W9.1', '氯酸钠', 'Sodium chlorate'),
  '3811-04-9': named(100, 'W9.1', '氯酸钾', 'Potassium chlorate'),
  '75-20-7': named(100, 'W11', '碳化钙', 'Calcium carbide'),
  '7440-09-7': named(1, 'W11', '钾', 'Potassium'),
  '7440-23-5': named(10, 'W11', '钠', 'Sodium'),
  // Not in table 1: a flammable gas of table 2, and named in table 3.
  '630-08-0': named(10, 'W2', '一氧化碳', 'Carbon monoxide')
}

/** Beta of the toxic gases that table 3 names, by CAS number. It stands over the beta of their class. */
export const BETA_OF_TOXIC_GAS: Readonly<Record<string, number>> = {
  '630-08-0': 2, // CO
  '7446-09-5': 2, // SO2
  '7664-41-7': 2, // NH3
  '75-21-8': 2, // ethylene oxide
  '7647-01-0': 3, // HCl
  '74-83-9': 3, // methyl bromide
  '7782-50-5': 4, // Cl2
  '7783-06-4': 5, // H2S
  '7664-39-3': 5, // HF
  '10102-44-0': 10, // NO2
  '74-90-8': 10, // HCN
  '75-44-5': 20, // phosgene
  '7803-51-2': 20, // phosphine
  '624-83-9': 20 // methyl isocyanate
}

/** Alpha by the people exposed within 500 m of the plant's boundary: the first row whose `from` is reached. */
export const ALPHA_BY_EXPOSED: readonly { readonly from: number; readonly alpha: number }[] = [
  { from: 100, alpha: 2 },
  { from: 50, alpha: 1.5 },
  { from: 30, alpha: 1.2 },
  { from: 1, alpha: 1 },
  { from: 0, alpha: 0.5 }
]

/** The grade by R: the first row whose `from` is reached. */
export const GRADE_BY_R: readonly { readonly from: number; readonly grade: 1 | 2 | 3 | 4 }[] = [
  { from: 100, grade: 1 },
  { from: 50, grade: 2 },
  { from: 10, grade: 3 },
  { from: 0, grade: 4 }
]
