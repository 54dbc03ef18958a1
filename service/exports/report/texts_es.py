"""The report in Spanish, as it is written in the United States: numbers keep the point for decimals."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    # Words, days, numbers.
    "month_1": "enero",
    "month_2": "febrero",
    "month_3": "marzo",
    "month_4": "abril",
    "month_5": "mayo",
    "month_6": "junio",
    "month_7": "julio",
    "month_8": "agosto",
    "month_9": "septiembre",
    "month_10": "octubre",
    "month_11": "noviembre",
    "month_12": "diciembre",
    "month_year": "{month} de {year}",
    "day": "{day} de {month} de {year}",
    "list": "{first} y {last}",
    "more_one": "otra más",
    "more_many": "{n} más",
    "none": "ninguno",
    "sentence": "{text}.",
    "range": "{least} a {most}",
    "about": "cerca de {figure}",
    "count_exact": "{figure}",
    "count_about": "cerca de {figure}",
    "count_between": "entre {least} y {most}",
    "share_exact": "el {figure}",
    "share_about": "cerca del {figure}",
    "share_between": "entre el {least} y el {most}",
    "share_below": "menos del {figure}",
    "share_above": "más del {figure}",
    "from": "al menos {figure}",
    "up_to": "como máximo {figure}",
    "points_one": "{n} punto",
    "points_many": "{n} puntos",
    "symbol_withheld": "no se publica",
    "symbol_unknown": "se desconoce",
    "symbol_no_figure_day": "ningún día con datos suficientes",
    "symbol_not_applicable": "no aplica",
    "symbol_incomplete": "pocos datos",
    "symbol_not_measured": "no se midió",
    "symbol_few_devices": "menos de 10 equipos",
    "symbol_undefined": "no está definido",
    "symbol_hidden": "oculto",
    "symbol_not_told": "no se puede indicar",
    "schools_one": "una escuela",
    "schools_many": "{n} escuelas",
    # The frame.
    "title": "Conexión en casa con puntos de acceso prestados",
    "subtitle": "{district}, {month}",
    "about_report": "Revisión {revision}. Elaborado por afterbell {version} con cifras que se pueden "
    "compartir: donde los números de una escuela son pequeños, se dan como intervalos, para que no se pueda "
    "reconocer a ningún estudiante.",
    "about_report_strict": "Revisión {revision}. Elaborado por afterbell {version} con cifras que se pueden "
    "compartir: se ocultan los recuentos pequeños y lo que los delataría, para que no se pueda reconocer a ningún "
    "estudiante.",
    "mark_partial": "MES PARCIAL: cifras hasta el {day}; van a cambiar",
    "footer": "{district}, {month}, revisión {revision}",
    "page_of": "página {page} de {pages}",
    "as_table": "Las cifras de esta gráfica en una tabla",
    # The answer.
    "answer_title": "La respuesta en breve",
    "answer_known": "El {day}, {covered} de los {need} estudiantes con necesidad ({coverage}) tenían en casa "
    "una conexión que funciona, gracias a un punto de acceso prestado.",
    "answer_ranged": "El {day}, {coverage} de los estudiantes con necesidad tenía en casa una conexión que "
    "funciona, gracias a un punto de acceso prestado. Son {covered} estudiantes, de un total de {need} con "
    "necesidad.",
    "answer_share": "El {day}, {coverage} de los estudiantes con necesidad tenía en casa una conexión que "
    "funciona, gracias a un punto de acceso prestado.",
    "answer_no_day": "No se sabe cuántos estudiantes con necesidad tenían conexión en {month}: ningún día de "
    "clases dio señal un número suficiente de puntos de acceso.",
    "answer_not_known": "Para el {day} no se puede dar una cifra única de cuántos estudiantes con necesidad "
    "tenían conexión en casa ({why}).",
    "answer_no_need": "El {day} no se sabía de ningún estudiante que necesitara conexión en casa, así que no "
    "hay cobertura que informar.",
    "answer_bounds": "¿Qué tan confiable es esta cifra? Si todos los estudiantes que no han respondido "
    "tienen necesidad y no tienen conexión, la cobertura sería de {low}. Si funcionan todos los puntos de "
    "acceso de los que no hubo señal, sería de {high}.",
    "answer_partial": "Este mes no está cerrado. Sus cifras llegan hasta el {day} y van a cambiar.",
    "tile_coverage": "Cobertura",
    "tile_coverage_says": "de los estudiantes con necesidad tiene en casa una conexión que funciona",
    "tile_need": "Estudiantes con necesidad",
    "tile_need_says": "no pueden conectarse en casa con el equipo con el que aprenden",
    "tile_unmet": "Aún sin conexión",
    "tile_unmet_says": "estudiantes con necesidad sin un punto de acceso prestado que funcione",
    "tile_idle_cost": "Pagado sin usarse",
    "tile_idle_cost_says": "por líneas sin tráfico de datos en todo el mes",
    "moved_up": "La cobertura subió {points} desde {month}, el último mes publicado antes ({before}).",
    "moved_down": "La cobertura bajó {points} desde {month}, el último mes publicado antes ({before}).",
    "moved_not": "La cobertura es la misma que en {month}, el último mes publicado antes.",
    "moved_unsure": "En {month}, el último mes publicado antes, era de {before}. No se sabe si desde "
    "entonces subió o bajó: las cifras no son lo bastante exactas.",
    "moved_first": "Aún no se ha publicado ningún mes anterior, así que no hay con qué comparar.",
    "moved_missing": "No se publicaron, y por eso no se muestran, estos meses: {months}.",
    "trend_title": "Cobertura de los estudiantes con necesidad, mes a mes",
    "trend_caption": "Punto: cobertura. Línea fina: desde lo mínimo hasta lo máximo que puede ser.",
    "trend_says": "Gráfica de líneas de la cobertura por mes: {values}.",
    "trend_value": "{month}: {coverage}",
    "trend_month": "Mes",
    # By school.
    "schools_title": "Escuela por escuela",
    "schools_levels": "Escuelas con cifras exactas: {exact}; con intervalos: {ranged}; solo con una franja "
    "de cobertura: {band}; demasiado pequeñas para mostrarse: {withheld}.",
    "schools_levels_strict": "Escuelas que se muestran completas: {whole}; con algo oculto: {hidden}.",
    "schools_levels_exact": "Escuelas: {n}, todas con cifras exactas.",
    "schools_none": "Ninguna escuela tiene este mes una cobertura que dibujar.",
    "schools_ends": "Se dibujan las {low} escuelas con la cobertura más baja y las {high} con la más alta. "
    "Todas las demás están en la tabla school_month del paquete.",
    "schools_without": "No se da cobertura de {names}.",
    "in_brackets": "{school} ({figure})",
    "schools_chart_title": "Cobertura por escuela, con sus límites",
    "schools_chart_says": "Gráfica de puntos de la cobertura por escuela: {values}.",
    "schools_chart_caption": "Rombo y negrita: escuela de altas necesidades. Símbolo relleno: cifra exacta; "
    "símbolo hueco con barra gruesa: la cifra está en algún punto de ese intervalo, y se dibuja en su "
    "centro. Línea fina: lo que es como mínimo y como máximo, sea lo que sea lo que aún no se sabe.",
    "schools_value": "{school}: {coverage}",
    "school": "Escuela",
    "high_needs": "Altas necesidades",
    "yes": "sí",
    "no": "no",
    "coverage": "Cobertura",
    "at_least": "Como mínimo",
    "at_most": "Como máximo",
    "in_need": "Con necesidad",
    "connected": "Con conexión",
    "not_connected": "Sin conexión",
    "schools_column": "Escuelas",
    # High-needs and others.
    "equity_title": "Las escuelas de altas necesidades y las demás",
    "equity_lower": "Las escuelas de altas necesidades tienen menos: tiene conexión {needy} de sus "
    "estudiantes con necesidad, frente a {others} en las demás escuelas, una diferencia de {gap}.",
    "equity_higher": "Las escuelas de altas necesidades tienen más: tiene conexión {needy} de sus "
    "estudiantes con necesidad, frente a {others} en las demás escuelas, una diferencia de {gap}.",
    "equity_equal": "Las escuelas de altas necesidades y las demás están igual: tiene conexión {needy} de "
    "los estudiantes con necesidad en las escuelas de altas necesidades y {others} en las demás.",
    "equity_unknown": "Este mes no se pueden comparar las escuelas de altas necesidades con las demás. "
    "Cobertura de las escuelas de altas necesidades: {needy}; de las demás: {others}.",
    "equity_unsure": "Con estos intervalos no se puede decir si los estudiantes con necesidad tienen conexión más a "
    "menudo en las escuelas de altas necesidades o en las demás. Cobertura de las primeras: {needy}; de las demás: "
    "{others}.",
    "equity_counted": "Esto se refiere a las escuelas cuyos recuentos se muestran.",
    "equity_none": "De ninguna escuela se indica si es de altas necesidades o no, así que no se pueden "
    "comparar.",
    "equity_left_out": "Quedan fuera, porque no se muestran sus recuentos: {schools}.",
    "equity_left_out_unknown": "Quedan fuera, porque no se sabe cuántos de sus estudiantes tienen necesidad: "
    "{schools}.",
    "equity_chart_title": "Cobertura por grupo de escuelas",
    "equity_chart_says": "Gráfica de puntos de la cobertura por grupo de escuelas: {values}.",
    "equity_chart_caption": "Las franjas se forman por la proporción de estudiantes de familias de bajos "
    "ingresos ({basis}), primero la de menos necesidad. Los grupos con escuelas dadas en intervalos se "
    "calculan con el centro de estos.",
    "basis": "{indicator}, {year}",
    "basis_isp": "estudiantes identificados",
    "basis_frpl": "almuerzo gratis o a precio reducido",
    "basis_direct_cert": "certificación directa",
    "basis_title1": "Título I",
    "basis_local": "la cifra propia del distrito",
    "equity_chart_caption_plain": "Los grupos con escuelas dadas en intervalos se calculan con el centro de "
    "estos.",
    "group": "Grupo",
    "group_high-needs": "Altas necesidades",
    "group_others": "Las demás escuelas",
    "group_low": "Franja 1: hasta el 25%",
    "group_mid_low": "Franja 2: más del 25% y hasta el 50%",
    "group_mid_high": "Franja 3: más del 50% y hasta el 75%",
    "group_high": "Franja 4: más del 75%",
    "group_pilot": "Escuelas piloto",
    "group_comparison": "Escuelas de comparación",
    "side_pilot": "Piloto: {coverage}",
    "side_comparison": "Comparación: {coverage}",
    "ratio_lead": "Razón: {figure}.",
    "ratio_says": "La cobertura de las escuelas de altas necesidades dividida entre la de las demás: 1 es "
    "igualdad; por debajo de 1, tienen menos.",
    "aci_lead": "Índice de concentración: {figure}.",
    "aci_says": "En todas las escuelas, de la de mayor necesidad a la de menor: 0 es un reparto parejo; por "
    "encima de 0, la cobertura está más en las escuelas con menos necesidad; por debajo, en las que tienen "
    "más.",
    "rci_lead": "Índice relativo: {figure}.",
    "rci_says": "La misma medida en relación con la cobertura media, para poder comparar meses y distritos: "
    "de -1 a 1, y 0 es un reparto parejo.",
    "par_lead": "Margen para mejorar: {figure}.",
    "par_says": "Lo que subiría la cobertura del distrito si todas las escuelas estuvieran como la franja "
    "con mejor cobertura.",
    "index_open": "no se puede decir con estos intervalos, entre {least} y {most}",
    "index_open_without": "{figure}, sin que se pueda decir en qué sentido",
    "ratio_name": "la razón",
    "aci_name": "el índice de concentración",
    "rci_name": "el índice relativo",
    "par_name": "el margen para mejorar",
    "measures_undefined": "Sin valor este mes: {names}. El motivo está en la tabla notes (csv/notes.csv, o su hoja en "
    "el libro de cálculo), sección undefined.",
    # Money.
    "money_title": "Qué se compró con el dinero y qué quedó sin usar",
    "money_known": "En {month} el distrito pagó {cost} por líneas. Por líneas sin tráfico de datos en todo "
    "el mes: {idle}.",
    "money_unknown": "Costo de las líneas en {month}: {why}.",
    "money_lines_lead": "Líneas pagadas: {figure}.",
    "money_lines_says": "De ellas, sin usar en todo el mes: {idle}. Una línea cuenta como sin usar solo si "
    "se sabe que ningún día hubo datos; una línea de la que no se supo nada no cuenta así.",
    "money_each_lead": "Costo por estudiante con conexión: {figure}.",
    "money_each_says": "Todas las líneas del mes, entre los estudiantes con necesidad que tienen conexión.",
    "money_prices_lead": "Precios.",
    "money_prices_says": "Algunas líneas no tienen precio, así que no se indica ningún costo.",
    "money_unheard_lead": "Sin señal.",
    "money_unheard_says": "De algunas líneas no se supo nada en todo el mes; no cuentan como sin usar.",
    # The pilot.
    "pilot_title": "El piloto: {name}",
    "pilot_question": "Su pregunta: {question}",
    "pilot_when": "Empezó el {starts}.",
    "pilot_when_ended": "Duró del {starts} al {ends}.",
    "pilot_answer": "La cobertura de las escuelas piloto cambió en {change}; la de las escuelas de "
    "comparación, en {comparison}. La diferencia entre ambas es de {difference}.",
    "pilot_range": "Dados los intervalos, esa diferencia está entre {least} y {most}.",
    "pilot_better": "Las escuelas piloto mejoraron más que las de comparación; no se pueden descartar otras "
    "causas.",
    "pilot_worse": "Las escuelas piloto mejoraron menos que las de comparación; no se pueden descartar otras "
    "causas.",
    "pilot_undecided": "No se puede indicar ninguna diferencia entre las escuelas piloto y las de comparación: está "
    "en algún lugar entre {least} y {most}.",
    "pilot_changes": "La cobertura de las escuelas piloto cambió en {change}; la de las escuelas de comparación, en "
    "{comparison}.",
    "pilot_between": "algo entre {least} y {most}",
    "pilot_unsure": "Con estas cifras no se puede afirmar que a las escuelas piloto les haya ido mejor o "
    "peor que a las demás.",
    "pilot_no_answer": "Aún no hay respuesta: no se conoce la cobertura de antes del piloto y durante este "
    "en ambos grupos. Cambio de las escuelas piloto: {change}; de las de comparación: {comparison}.",
    "pilot_chart_title": "Cobertura antes y durante el piloto",
    "pilot_chart_says": "Gráfica de líneas de la cobertura antes y durante el piloto: {values}.",
    "pilot_chart_value": "{side} {period}: {coverage}",
    "pilot_chart_caption": "Línea continua y puntos rellenos: escuelas piloto. Línea discontinua y puntos "
    "huecos: escuelas de comparación. Barras finas: lo que es cada "
    "una como mínimo y como máximo.",
    "pilot_side": "Escuelas",
    "pilot_period": "Meses",
    "pilot_months": "{period}: {months}",
    "pilot_schools": "{n} ({out} fuera)",
    "period_before": "antes",
    "period_during": "durante",
    "mean_need": "Con necesidad (media)",
    "mean_connected": "Con conexión (media)",
    "warning_one_school": "El piloto tiene una sola escuela: lo que pasó allí puede tener otras causas.",
    "warning_no_comparison": "No hay escuelas de comparación, así que el cambio pudo darse también sin el "
    "piloto.",
    "warning_months_missing": "Algunos meses de antes o de durante no se publicaron y faltan en la "
    "comparación.",
    "warning_few_months": "Hay pocos meses en la comparación: un mes fuera de lo común pesa mucho.",
    "warning_left_out_schools": "Las escuelas cuyos recuentos no se muestran o no se conocen en todos los "
    "meses quedan fuera de la comparación.",
    "warning_small_need": "Hay pocos estudiantes con necesidad en estas escuelas: unas pocas familias "
    "cambian mucho la cifra.",
    "warning_other": "Las notas del paquete indican otro límite de esta comparación.",
    # What changed, what to do.
    "next_title": "Qué cambió y qué hacer ahora",
    "rose": "Subieron desde {month}:",
    "fell": "Bajaron desde {month}:",
    "moved_school": "{school} ({before}, ahora {now})",
    "do_nothing": "Ninguna cifra de este mes pide otra cosa que seguir como hasta ahora.",
    "do_need_lead": "Averiguar quién tiene necesidad.",
    "do_need": "No se conoce la necesidad en el distrito: registren las respuestas de las familias o los "
    "recuentos por escuela.",
    "do_idle_lead": "Recoger o pausar los puntos de acceso sin usar.",
    "do_idle": "Líneas sin tráfico de datos en todo el mes: {idle}, con un costo de {cost}. Primero "
    "pregunten a las familias: quizá solo necesitan ayuda.",
    "do_reach_lead": "Atender primero a estas escuelas.",
    "do_reach": "Es seguro que la cobertura está por debajo de {floor} en {names}.",
    "do_waitlist_lead": "Llevar puntos de acceso adonde hay familias en espera.",
    "do_waitlist": "Hay solicitudes sin atender en {names}.",
    "do_gap_lead": "Prestar primero a las escuelas de altas necesidades.",
    "do_gap": "Sus estudiantes con necesidad tienen conexión con menos frecuencia que los de las demás "
    "escuelas.",
    "do_ask_lead": "Preguntar a las familias que no han respondido.",
    "do_ask": "Las familias de {ratio} de los estudiantes han respondido si su hijo puede conectarse en "
    "casa; por debajo de {floor}, el recuento de la necesidad es poco confiable.",
    "do_renew_lead": "Volver a contar la necesidad.",
    "do_renew": "Hay más estudiantes con conexión que estudiantes contados con necesidad en {names}: el "
    "recuento no está al día.",
    "do_sources_lead": "Preguntar al equipo de tecnología por los datos que faltan.",
    "do_sources": "Días del mes sin ningún dato: {gaps}.",
    "days_one": "un día",
    "days_many": "{n} días",
    "do_unheard_lead": "Buscar los puntos de acceso que no dan señal.",
    "do_unheard": "Solo se pudo evaluar a {share} de los estudiantes con punto de acceso; por debajo de "
    "{floor} no se da cobertura.",
    # How sure.
    "sure_title": "Qué tan confiables son las cifras y qué no se sabe",
    "sure_day_lead": "El día.",
    "sure_day": "La cifra de un mes es la de su último día de clases en que dieron señal suficientes puntos "
    "de acceso ({floor} de los estudiantes que tienen uno): {day}.",
    "sure_no_day": "Ningún día de clases del mes tuvo suficientes datos, así que este mes no tiene cifra de "
    "cobertura.",
    "sure_heard_lead": "De quién hubo señal.",
    "sure_heard": "Estudiantes con punto de acceso a los que se pudo evaluar: {share}; a los que no: "
    "{unknown}. Estos se cuentan como desconocidos, nunca como con conexión ni como sin ella.",
    "sure_answers_lead": "Respuestas.",
    "sure_answers": "Estudiantes cuyas familias han respondido si su hijo puede conectarse en casa: {share}.",
    "sure_gaps_lead": "Datos que faltan.",
    "sure_gaps": "Días del mes sin ningún dato: {gaps}.",
    "sure_gaps_one": "{source} {days}",
    "sure_no_sources": "No hay ninguna fuente de datos configurada.",
    "sure_no_gaps": "Hubo datos de todas las fuentes todos los días del mes.",
    "sure_ranges_lead": "Intervalos.",
    "sure_ranges": "Los recuentos de 1 a 9 están protegidos. Donde se podría deducir uno, los recuentos de "
    "la escuela se dan como intervalos, o no se dan. Todas las demás cifras y todas las gráficas se hacen "
    "con lo que aquí se muestra.",
    "sure_strict": "Este paquete oculta todo recuento pequeño y lo que lo delataría: esas celdas dicen n<10 "
    "o algo parecido, oculto, <5% o >95%.",
    "sure_revision_lead": "Revisión {n}.",
    "sure_revision": "Reemplaza a una anterior; celdas que cambiaron: {cells}. Motivo: {reasons}. La tabla "
    "changes las enumera.",
    "sure_revision_none": "Reemplaza a una anterior.",
    "why_late_data": "llegaron datos tarde",
    "why_need_corrected": "se corrigieron los datos de necesidad",
    "why_loans_corrected": "se corrigieron los préstamos",
    "why_calendar_corrected": "se corrigió el calendario escolar",
    "why_prices_corrected": "se corrigieron los precios",
    "why_settings_changed": "cambió la configuración",
    "why_new_version": "hay una versión nueva del programa",
    "why_other": "otros motivos, que están en las notas",
    "sure_limits_lead": "Lo que estas cifras no dicen.",
    "sure_limits": "Si una conexión era lo bastante rápida para la tarea, para qué se usó ni por qué un "
    "punto de acceso está sin usar. No se cuenta a los estudiantes que se conectan de otra manera. Las "
    "definiciones y los umbrales están en la tabla notes (csv/notes.csv, o su hoja en el libro de cálculo).",
    # What it comes to.
    "verdict_title": "Si vale la pena seguir: lo que este mes puede decir",
    "verdict_reached_lead": "Lo logrado.",
    "verdict_reached": "De los estudiantes con necesidad, {coverage} tenía conexión en casa con un punto de acceso "
    "prestado.",
    "verdict_bounds": "Con todo lo que aún no se sabe, es como mínimo {low} y como máximo {high}.",
    "verdict_not_reached": "No se puede indicar qué parte de los estudiantes con necesidad tenía conexión ({why}).",
    "verdict_idle_lead": "Sin usar.",
    "verdict_idle": "Líneas pagadas: {lines}. Sin tráfico de datos en todo el mes: {idle}.",
    "verdict_pilot_lead": "El piloto.",
    "verdict_no_pilot": "Este paquete no compara escuelas piloto con otras, así que no puede decir qué cambiaron los "
    "puntos de acceso.",
    "verdict_pilot_open": "Aún no hay respuesta a su pregunta.",
    "verdict_surer_lead": "Lo que daría más certeza:",
    "surer_answers": "respuestas de más familias",
    "surer_reports": "más puntos de acceso que den señal",
    "surer_months": "más meses publicados",
    "surer_settled": "el mes cerrado en lugar de uno parcial",
    "surer_pilot": "un piloto con escuelas de comparación",
    "surer_comparison": "escuelas de comparación",
    "surer_pilot_months": "más meses publicados antes del piloto y durante este",
    "surer_pilot_schools": "más escuelas, o más grandes, en ambos grupos del piloto",
    "verdict_end": "Este informe no permite saber si otra manera de conectar a los estudiantes daría mejor resultado "
    "por el mismo dinero.",
}
