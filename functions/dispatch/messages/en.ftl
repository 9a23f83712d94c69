# English. `title` and `line` may light up on a locked screen: no medicine, no illness, no name. `details` follow in
# an e-mail, below the line.

order-confirmed =
    .title = Your order { $order_id } is confirmed
    .line = Your order { $order_id } is confirmed. We will tell you when it is on its way.
order-shipped =
    .title = Your order { $order_id } is on its way
    .line = Your order { $order_id } is on its way.
    .details = { $tracking_number ->
        [none] { "" }
       *[other] Its tracking number is { $tracking_number }.
    }
order-delivered =
    .title = Your order { $order_id } has arrived
    .line = Your order { $order_id } has been delivered. Is something missing or damaged? Please tell us.
order-failed =
    .title = Your order { $order_id } could not be delivered
    .line = { $next ->
        [retry] We are sorry: your order { $order_id } could not be delivered. We are trying again. You can cancel it in Nexus at any time.
       *[choose] We are sorry: your order { $order_id } could not be delivered. Please open Nexus to cancel it, or call us if you want it tried again.
    }
order-cancelled =
    .title = Your order { $order_id } is cancelled
    .line = Your order { $order_id } is cancelled. Nothing of it will be delivered.
prescription-verified =
    .title = We have checked your document
    .line = Our pharmacist has accepted what you handed in ({ $prescription_id }). You can order with it now.
prescription-rejected =
    .title = We have checked your document
    .line = Our pharmacist could not accept what you handed in ({ $prescription_id }). Please open Nexus to see why.
refill-due =
    .title = A reminder from Nexus
    .line = It is time to think of your next order. Please open Nexus.
    .details = { $days_left ->
        [out] { $products }: by our count this has run out.
        [one] { $products }: by our count this is enough for one more day.
       *[other] { $products }: by our count this is enough for { $days } more days.
    } { $advice ->
        [renew] Your prescription for it has ended or is used up: please see your doctor for a new one.
        [upload] Please hand in your prescription first.
        [ask_pharmacist] Please ask our pharmacist before you order it again.
        [out_of_stock] We do not have it in stock at the moment: please ask our pharmacist.
       *[reorder] Write "refill my medicines" to order it again.
    }

footer = Nexus Pharmacy. How and when we write to you can be changed in your profile.
