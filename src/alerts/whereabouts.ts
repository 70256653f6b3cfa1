// Where the subject of an alarm stands: its area, site and enterprise, as the plant in force says.

import type { Fleet } from '../model/fleet.ts'
import type { Area, Gateway, Site } from '../model/plant.ts'

export interface Standing {
  readonly inArea: string | null
  readonly site: string | null
  readonly enterprise: string | null
}

/** Looks things up in one plant. */
export class Whereabouts {
  readonly fleet: Fleet
  readonly #areas: ReadonlyMap<string, Area>
  readonly #sites: ReadonlyMap<string, Site>
  readonly #gateways: ReadonlyMap<string, Gateway>

  constructor(fleet: Fleet) {
    this.fleet = fleet
    this.#areas = new Map(fleet.plant.areas.map((area) => [area.id, area]))
    this.#sites = new Map(fleet.plant.sites.map((site) => [site.id, site]))
    this.#gateways = new Map(fleet.plant.gateways.map((gateway) => [gateway.id, gateway]))
  }

  /** Of a device, or of an area; what the plant does not say is null. */
  of(device: string | null, area: string | null): Standing {
    const known = device === null ? undefined : this.fleet.devices[this.fleet.deviceNumber.get(device) ?? -1]
    const inArea = known?.area ?? area
    const site = known?.site ?? (inArea === null ? null : (this.#areas.get(inArea)?.site ?? null))
    const ofSite = site === null ? null : (this.#sites.get(site)?.enterprise ?? null)
    return { inArea, site, enterprise: known?.enterprise ?? ofSite ?? this.enterpriseOfGateway(known?.gateway ?? null) }
  }

  /** Of what a gateway sent of a device: that of the gateway, and the site of the device where it is one of the same. */
  ofReject(gateway: string, device: string | null): { enterprise: string | null; site: string | null } {
    const enterprise = this.enterpriseOfGateway(gateway)
    const known = device === null ? null : this.of(device, null)
    return { enterprise, site: known?.enterprise === enterprise ? (known?.site ?? null) : null }
  }

  enterpriseOfGateway(gateway: string | null): string | null {
    return gateway === null ? null : (this.#gateways.get(gateway)?.enterprise ?? null)
  }
}
