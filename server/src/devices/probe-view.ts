import type { StoredProbe } from '../branches/index.ts';
import type { Context } from '../context.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { TestedDevice } from './test-device.ts';

/** `hours`: for how long a device may be without its authority, in the reader's digits. */
type Text = [title: string, detail: string] | ((hours: string) => [title: string, detail: string]);

const texts: Record<StoredProbe['result'], { en: Text; fr: Text; ar: Text }> = {
  fine: {
    en: ['The device serves.', 'Nothing needs to be done.'],
    fr: ["L'appareil répond.", "Il n'y a rien à faire."],
    ar: ['الجهاز يعمل.', 'لا يلزم فعل شيء.'],
  },
  down: {
    en: [
      'Nothing answers at this address.',
      'Check that the VSDC computer is on, connected, and that its program runs.',
    ],
    fr: [
      'Rien ne répond à cette adresse.',
      "Vérifiez que l'ordinateur du VSDC est allumé, connecté, et que son programme tourne.",
    ],
    ar: ['لا شيء يجيب على هذا العنوان.', 'تحقّق من تشغيل حاسوب VSDC واتصاله وبرنامجه.'],
  },
  wrong_address: {
    en: [
      'Something answers here, but it is no VSDC, or the name is not known.',
      'Check host, port and path of the address.',
    ],
    fr: [
      "Quelque chose répond ici, mais ce n'est pas un VSDC, ou le nom est inconnu.",
      "Vérifiez l'hôte, le port et le chemin de l'adresse.",
    ],
    ar: [
      'يجيب شيء هنا لكنه ليس VSDC، أو الاسم غير معروف.',
      'تحقّق من المضيف والمنفذ والمسار في العنوان.',
    ],
  },
  vsdc_missing: {
    en: [
      'The web server runs, the VSDC behind it does not.',
      'Start or install the VSDC program in that server, then test again.',
    ],
    fr: [
      'Le serveur web tourne, le VSDC derrière lui non.',
      'Démarrez ou installez le programme VSDC dans ce serveur, puis testez à nouveau.',
    ],
    ar: [
      'خادم الويب يعمل وVSDC خلفه لا يعمل.',
      'شغّل برنامج VSDC أو ثبّته في ذلك الخادم ثم افحص من جديد.',
    ],
  },
  offline_soon: {
    en: (hours) => [
      'The device has had no contact with the authority for a while.',
      `It stops after ${hours} hours without: bring its internet connection back.`,
    ],
    fr: (hours) => [
      "L'appareil n'a plus de contact avec l'administration depuis un moment.",
      `Il s’arrête après ${hours} heures : rétablissez sa connexion internet.`,
    ],
    ar: (hours) => [
      'لم يتصل الجهاز بالإدارة منذ مدة.',
      `يتوقف بعد ${hours} ساعة بلا اتصال: أعد اتصاله بالإنترنت.`,
    ],
  },
  down_or_stopped: {
    en: (hours) => [
      `The device is down, or stopped after ${hours} hours offline.`,
      'Bring its internet connection back, restart it, then test again.',
    ],
    fr: (hours) => [
      `L'appareil est éteint, ou arrêté après ${hours} heures hors ligne.`,
      'Rétablissez sa connexion internet, redémarrez-le, puis testez à nouveau.',
    ],
    ar: (hours) => [
      `الجهاز متوقف، أو توقف بعد ${hours} ساعة بلا اتصال.`,
      'أعد اتصاله بالإنترنت وشغّله من جديد ثم افحص.',
    ],
  },
  address_refused: {
    en: [
      'This address lies in a network that the operator has not allowed.',
      'Ask the operator to allow the network, or give a public address.',
    ],
    fr: [
      "Cette adresse se trouve dans un réseau que l'exploitant n'a pas autorisé.",
      "Demandez à l'exploitant d'autoriser le réseau, ou donnez une adresse publique.",
    ],
    ar: [
      'هذا العنوان في شبكة لم يسمح بها المشغّل.',
      'اطلب من المشغّل السماح بالشبكة، أو أعط عنوانًا عامًا.',
    ],
  },
  not_initialised: {
    en: [
      'The VSDC answers and is not initialised for this branch yet.',
      'Initialise it, or adopt it if another program initialised it.',
    ],
    fr: [
      "Le VSDC répond et n'est pas encore initialisé pour cette succursale.",
      "Initialisez-le, ou reprenez-le si un autre programme l'a initialisé.",
    ],
    ar: ['يجيب VSDC ولم يُهيّأ لهذا الفرع بعد.', 'هيّئه، أو تبنّه إن هيّأه برنامج آخر.'],
  },
  other_taxpayer: {
    en: [
      'The VSDC answers, but not for this taxpayer and branch.',
      'Check the address: it may be another business’s device.',
    ],
    fr: [
      'Le VSDC répond, mais pas pour ce contribuable et cette succursale.',
      "Vérifiez l'adresse : c'est peut-être l'appareil d'une autre entreprise.",
    ],
    ar: ['يجيب VSDC لكن ليس عن هذا المكلَّف والفرع.', 'تحقّق من العنوان: قد يكون جهاز منشأة أخرى.'],
  },
};

/** Says a test in the reader's words. */
export const probeView =
  (dialects: Dialects) =>
  ({ language }: Pick<Context, 'language'>, tested: TestedDevice) => {
    const { reason: _reason, dialect, ...probe } = tested;
    const known = (['fr', 'ar'] as const).find((each) => language.startsWith(each)) ?? 'en';
    const { offlineHoursMax } = dialects.of(dialect).setUp;
    const hours = offlineHoursMax?.toLocaleString(known === 'ar' ? 'ar-EG' : known) ?? '…';
    const text = texts[probe.result][known];
    const [title, detail] = typeof text === 'function' ? text(hours) : text;
    return { ...probe, title, detail };
  };

export type ProbeView = ReturnType<ReturnType<typeof probeView>>;
