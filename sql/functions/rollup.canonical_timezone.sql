CREATE OR REPLACE FUNCTION rollup.canonical_timezone(name text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
/*
 * The server's own spelling of a time zone's name, or NULL where it knows no such zone. Names that
 * the application accepts and the server does not are looked up first.
 *
 * Asks the setting TimeZone, because a look into pg_timezone_names reads every file of zones: 40 ms.
 * The setting finds the file and gives its name; what it was before comes back at the end. It also
 * takes specifications such as 'Mars/Olympus3', three hours west of Greenwich: those have digits and
 * come back in capitals. Only seven names of zones look the same, and are looked up.
 *
 * AT TIME ZONE is no test either: it takes 'EST' or 'CET' for an abbreviation, which has no summer
 * time, and may mean another one where a session has set timezone_abbreviations. So these give the
 * zones that their names are links to.
 */
DECLARE
    given text := canonical_timezone.name;
    zone text;
BEGIN
    given := coalesce(
        (
            SELECT a.zone
            FROM (VALUES
                ('International Date Line West', 'Etc/GMT+12'),
                ('Midway Island', 'Pacific/Midway'),
                ('American Samoa', 'Pacific/Pago_Pago'),
                ('Hawaii', 'Pacific/Honolulu'),
                ('Alaska', 'America/Juneau'),
                ('Pacific Time (US & Canada)', 'America/Los_Angeles'),
                ('Tijuana', 'America/Tijuana'),
                ('Mountain Time (US & Canada)', 'America/Denver'),
                ('Arizona', 'America/Phoenix'),
                ('Chihuahua', 'America/Chihuahua'),
                ('Mazatlan', 'America/Mazatlan'),
                ('Central Time (US & Canada)', 'America/Chicago'),
                ('Saskatchewan', 'America/Regina'),
                ('Guadalajara', 'America/Mexico_City'),
                ('Mexico City', 'America/Mexico_City'),
                ('Monterrey', 'America/Monterrey'),
                ('Central America', 'America/Guatemala'),
                ('Eastern Time (US & Canada)', 'America/New_York'),
                ('Indiana (East)', 'America/Indiana/Indianapolis'),
                ('Bogota', 'America/Bogota'),
                ('Lima', 'America/Lima'),
                ('Quito', 'America/Lima'),
                ('Atlantic Time (Canada)', 'America/Halifax'),
                ('Caracas', 'America/Caracas'),
                ('La Paz', 'America/La_Paz'),
                ('Santiago', 'America/Santiago'),
                ('Newfoundland', 'America/St_Johns'),
                ('Brasilia', 'America/Sao_Paulo'),
                ('Buenos Aires', 'America/Argentina/Buenos_Aires'),
                ('Montevideo', 'America/Montevideo'),
                ('Georgetown', 'America/Guyana'),
                ('Puerto Rico', 'America/Puerto_Rico'),
                ('Greenland', 'America/Godthab'),
                ('Mid-Atlantic', 'Atlantic/South_Georgia'),
                ('Azores', 'Atlantic/Azores'),
                ('Cape Verde Is.', 'Atlantic/Cape_Verde'),
                ('Dublin', 'Europe/Dublin'),
                ('Edinburgh', 'Europe/London'),
                ('Lisbon', 'Europe/Lisbon'),
                ('London', 'Europe/London'),
                ('Casablanca', 'Africa/Casablanca'),
                ('Monrovia', 'Africa/Monrovia'),
                ('Belgrade', 'Europe/Belgrade'),
                ('Bratislava', 'Europe/Bratislava'),
                ('Budapest', 'Europe/Budapest'),
                ('Ljubljana', 'Europe/Ljubljana'),
                ('Prague', 'Europe/Prague'),
                ('Sarajevo', 'Europe/Sarajevo'),
                ('Skopje', 'Europe/Skopje'),
                ('Warsaw', 'Europe/Warsaw'),
                ('Zagreb', 'Europe/Zagreb'),
                ('Brussels', 'Europe/Brussels'),
                ('Copenhagen', 'Europe/Copenhagen'),
                ('Madrid', 'Europe/Madrid'),
                ('Paris', 'Europe/Paris'),
                ('Amsterdam', 'Europe/Amsterdam'),
                ('Berlin', 'Europe/Berlin'),
                ('Bern', 'Europe/Zurich'),
                ('Zurich', 'Europe/Zurich'),
                ('Rome', 'Europe/Rome'),
                ('Stockholm', 'Europe/Stockholm'),
                ('Vienna', 'Europe/Vienna'),
                ('West Central Africa', 'Africa/Algiers'),
                ('Bucharest', 'Europe/Bucharest'),
                ('Cairo', 'Africa/Cairo'),
                ('Helsinki', 'Europe/Helsinki'),
                ('Kyiv', 'Europe/Kiev'),
                ('Riga', 'Europe/Riga'),
                ('Sofia', 'Europe/Sofia'),
                ('Tallinn', 'Europe/Tallinn'),
                ('Vilnius', 'Europe/Vilnius'),
                ('Athens', 'Europe/Athens'),
                ('Istanbul', 'Europe/Istanbul'),
                ('Minsk', 'Europe/Minsk'),
                ('Jerusalem', 'Asia/Jerusalem'),
                ('Harare', 'Africa/Harare'),
                ('Pretoria', 'Africa/Johannesburg'),
                ('Kaliningrad', 'Europe/Kaliningrad'),
                ('Moscow', 'Europe/Moscow'),
                ('St. Petersburg', 'Europe/Moscow'),
                ('Volgograd', 'Europe/Volgograd'),
                ('Samara', 'Europe/Samara'),
                ('Kuwait', 'Asia/Kuwait'),
                ('Riyadh', 'Asia/Riyadh'),
                ('Nairobi', 'Africa/Nairobi'),
                ('Baghdad', 'Asia/Baghdad'),
                ('Tehran', 'Asia/Tehran'),
                ('Abu Dhabi', 'Asia/Muscat'),
                ('Muscat', 'Asia/Muscat'),
                ('Baku', 'Asia/Baku'),
                ('Tbilisi', 'Asia/Tbilisi'),
                ('Yerevan', 'Asia/Yerevan'),
                ('Kabul', 'Asia/Kabul'),
                ('Ekaterinburg', 'Asia/Yekaterinburg'),
                ('Islamabad', 'Asia/Karachi'),
                ('Karachi', 'Asia/Karachi'),
                ('Tashkent', 'Asia/Tashkent'),
                ('Chennai', 'Asia/Kolkata'),
                ('Kolkata', 'Asia/Kolkata'),
                ('Mumbai', 'Asia/Kolkata'),
                ('New Delhi', 'Asia/Kolkata'),
                ('Kathmandu', 'Asia/Kathmandu'),
                ('Astana', 'Asia/Dhaka'),
                ('Dhaka', 'Asia/Dhaka'),
                ('Sri Jayawardenepura', 'Asia/Colombo'),
                ('Almaty', 'Asia/Almaty'),
                ('Novosibirsk', 'Asia/Novosibirsk'),
                ('Rangoon', 'Asia/Rangoon'),
                ('Bangkok', 'Asia/Bangkok'),
                ('Hanoi', 'Asia/Bangkok'),
                ('Jakarta', 'Asia/Jakarta'),
                ('Krasnoyarsk', 'Asia/Krasnoyarsk'),
                ('Beijing', 'Asia/Shanghai'),
                ('Chongqing', 'Asia/Chongqing'),
                ('Hong Kong', 'Asia/Hong_Kong'),
                ('Urumqi', 'Asia/Urumqi'),
                ('Kuala Lumpur', 'Asia/Kuala_Lumpur'),
                ('Singapore', 'Asia/Singapore'),
                ('Taipei', 'Asia/Taipei'),
                ('Perth', 'Australia/Perth'),
                ('Irkutsk', 'Asia/Irkutsk'),
                ('Ulaanbaatar', 'Asia/Ulaanbaatar'),
                ('Seoul', 'Asia/Seoul'),
                ('Osaka', 'Asia/Tokyo'),
                ('Sapporo', 'Asia/Tokyo'),
                ('Tokyo', 'Asia/Tokyo'),
                ('Yakutsk', 'Asia/Yakutsk'),
                ('Darwin', 'Australia/Darwin'),
                ('Adelaide', 'Australia/Adelaide'),
                ('Canberra', 'Australia/Melbourne'),
                ('Melbourne', 'Australia/Melbourne'),
                ('Sydney', 'Australia/Sydney'),
                ('Brisbane', 'Australia/Brisbane'),
                ('Hobart', 'Australia/Hobart'),
                ('Vladivostok', 'Asia/Vladivostok'),
                ('Guam', 'Pacific/Guam'),
                ('Port Moresby', 'Pacific/Port_Moresby'),
                ('Magadan', 'Asia/Magadan'),
                ('Srednekolymsk', 'Asia/Srednekolymsk'),
                ('Solomon Is.', 'Pacific/Guadalcanal'),
                ('New Caledonia', 'Pacific/Noumea'),
                ('Fiji', 'Pacific/Fiji'),
                ('Kamchatka', 'Asia/Kamchatka'),
                ('Marshall Is.', 'Pacific/Majuro'),
                ('Auckland', 'Pacific/Auckland'),
                ('Wellington', 'Pacific/Auckland'),
                ('Nuku''alofa', 'Pacific/Tongatapu'),
                ('Tokelau Is.', 'Pacific/Fakaofo'),
                ('Chatham Is.', 'Pacific/Chatham'),
                ('Samoa', 'Pacific/Apia')
            ) a (alias, zone)
            WHERE a.alias = given
        ),
        given
    );
    given := CASE upper(given)
        WHEN 'CET' THEN 'Europe/Brussels'
        WHEN 'EET' THEN 'Europe/Athens'
        WHEN 'EST' THEN 'America/Panama'
        WHEN 'HST' THEN 'Pacific/Honolulu'
        WHEN 'MET' THEN 'Europe/Brussels'
        WHEN 'MST' THEN 'America/Phoenix'
        WHEN 'WET' THEN 'Europe/Lisbon'
        ELSE given
    END;

    -- 'Factory' is a file that says that no zone has been chosen; pg_timezone_names leaves it out.
    IF given IS NULL OR lower(given) IN ('', 'default', 'factory') THEN
        RETURN NULL;
    END IF;

    BEGIN
        zone := set_config('TimeZone', given, true);
    EXCEPTION
        WHEN invalid_parameter_value THEN
            RETURN NULL;
    END;

    IF lower(zone) <> lower(given) THEN
        RETURN NULL;
    END IF;

    IF zone = upper(zone) AND zone ~ '[0-9]' THEN
        IF zone IN ('CST6CDT', 'EST5EDT', 'GMT+0', 'GMT-0', 'GMT0', 'MST7MDT', 'PST8PDT') THEN
            RETURN (SELECT t.name FROM pg_timezone_names t WHERE t.name = zone);
        END IF;

        RETURN NULL;
    END IF;

    RETURN zone;
END
$function$;

COMMENT ON FUNCTION rollup.canonical_timezone(text) IS
    'The time zone of that name, or of that alias in the registry, as the server spells it; NULL where there is none.';
